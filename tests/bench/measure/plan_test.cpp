#include <algorithm>
#include <bench/command/plan_text.hpp>
#include <bench/measure/plan.hpp>
#include <bench/measure/runner.hpp>
#include <bench/measure/schedule.hpp>
#include <bench/server/catalogue.hpp>
#include <bench/text/failure.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <set>

#include <tests/bench/measure/requests.hpp>
#include <tests/scratch_folder.hpp>
#include <tests/texts.hpp>

using bench::block_kind;
using bench::plan_run;
namespace data = boost::unit_test::data;

BOOST_AUTO_TEST_CASE(who_asks_for_servers_or_scenarios_gets_no_others) {
  auto request = asking("default");
  request.scenarios = {"c1/64"};
  for (const auto& plan : {plan_run(request), plan_run(comparing({"floor/epoll", "fibers/epoll"}))})
    for (const auto& each : plan.servers)
      BOOST_TEST(!bench::injected_ns(each.name).has_value(), each.name);
}

BOOST_AUTO_TEST_CASE(every_run_has_a_control_in_the_company_of_the_bare_loop) {
  const auto plan = plan_run(asking("quick"));
  const auto& control = plan.pairings.back();
  BOOST_TEST(control.control);
  BOOST_TEST(control.comparison.base == "fibers/epoll");
  BOOST_TEST(control.comparison.contender == "fibers/epoll");
  BOOST_TEST(control.comparison.floor.value() == "floor/epoll");
  BOOST_TEST(control.scenario.text() == "c64/512");
  BOOST_TEST(plan.comparisons().size() == 2U);  // the control is no comparison
}

BOOST_AUTO_TEST_CASE(the_first_of_the_servers_is_the_base_of_the_others) {
  const auto compared =
      plan_run(comparing({"floor/select", "fibers/select", "asio-callback/select"})).comparisons();
  BOOST_REQUIRE(compared.size() == 2);
  BOOST_TEST(compared[0].base == "floor/select");
  BOOST_TEST(compared[0].contender == "fibers/select");
  BOOST_TEST(compared[1].contender == "asio-callback/select");
  BOOST_TEST(!compared[0].floor.has_value());  // the bare loop is the base
}

BOOST_AUTO_TEST_CASE(a_server_can_be_compared_with_itself) {
  const auto plan = plan_run(comparing({"fibers/epoll", "fibers/epoll"}));
  BOOST_REQUIRE(plan.comparisons().size() == 1);
  BOOST_TEST(!plan.pairings.front().control);
  BOOST_TEST(plan.pairings.back().control);
}

BOOST_AUTO_TEST_CASE(unlike_reactors_never_share_a_duet) {
  const auto plan = plan_run(comparing({"fibers/select", "fibers/epoll"}));
  for (const auto& block : blocks_of_round(plan, 0)) {
    if (!block.control) BOOST_CHECK(block.kind == block_kind::exclusive);
  }
  BOOST_TEST(!plan.pairings.front().comparison.floor.has_value());
}

BOOST_AUTO_TEST_CASE(the_control_has_the_kinds_of_block_that_decide) {
  const auto only_duets = plan_run(asking("default")).pairings.back();
  BOOST_TEST((only_duets.control && only_duets.duet && !only_duets.exclusive));
  const auto both = plan_run(asking("reactors")).pairings.back();
  BOOST_TEST((both.control && both.duet && both.exclusive));
  const auto alone = plan_run(comparing({"fibers/select", "fibers/epoll"})).pairings.back();
  BOOST_TEST((alone.control && !alone.duet && alone.exclusive));
}

// At a part load servers are loaded alone, and CPU per message is judged.
BOOST_AUTO_TEST_CASE(where_rates_are_compared_the_control_is_loaded_alone_too) {
  auto request = asking("default");
  request.scenarios = {"c64/512", "c64/512/r50%"};
  BOOST_TEST(!plan_run(request).pairings.back().exclusive);
  request.scenarios = {"c64/512", "c64/512/r50%", "c64/512/r20k"};
  const auto control = plan_run(request).pairings.back();
  BOOST_TEST((control.control && control.duet && control.exclusive));
  BOOST_TEST(control.scenario.text() == "c64/512");
}

BOOST_AUTO_TEST_CASE(what_is_asked_for_twice_is_measured_once) {
  auto request = comparing({"floor/epoll", "fibers/epoll", "fibers/epoll"});
  request.scenarios = {"c1/64", "c1/64"};
  BOOST_TEST(plan_run(request).pairings.size() == 2U);  // and the control
}

BOOST_AUTO_TEST_CASE(who_spins_shares_its_core_with_nobody) {
  const auto plan = plan_run(asking("spin"));
  for (const auto& each : plan.pairings) BOOST_TEST(!each.duet);
  const auto against_itself =
      plan_run(comparing({"fibers/epoll/spin50us", "fibers/epoll/spin50us"}));
  for (const auto& each : against_itself.pairings) {
    BOOST_TEST(!each.duet);
    BOOST_TEST(each.exclusive);
  }
}

BOOST_AUTO_TEST_CASE(what_needs_a_missing_server_goes_and_the_plan_says_so) {
  auto plan = plan_run(asking("reactors"));
  leave_out(plan, "asio-callback/io_uring", "there is no such program");
  leave_out(plan, "floor/io_uring", "it exited with status 2");
  for (const auto& each : plan.pairings) {
    BOOST_TEST(each.comparison.base != "asio-callback/io_uring");
    BOOST_TEST(each.comparison.floor.value_or("") != "floor/io_uring");
  }
  const auto uses = [](const bench::server_info& each) { return each.name == "fibers/io_uring"; };
  BOOST_TEST(std::any_of(plan.servers.begin(), plan.servers.end(), uses));
  leave_out(plan, "fibers/io_uring", "io_uring is not permitted");
  BOOST_TEST(std::none_of(plan.servers.begin(), plan.servers.end(), uses));
  BOOST_TEST(plan.pairings.back().control);
  BOOST_REQUIRE(plan.left_out.size() == 3);
  BOOST_TEST(bench::text_of(plan.left_out[2]) ==
             "fibers/io_uring was left out: io_uring is not permitted");
}

BOOST_AUTO_TEST_CASE(a_missing_floor_is_missed_by_the_control_too) {
  auto plan = plan_run(comparing({"asio-callback/io_uring", "fibers/io_uring"}));
  leave_out(plan, "floor/io_uring", "it exited with status 2");
  BOOST_TEST(plan.servers.size() == 2U);
  for (const auto& each : plan.pairings) {
    BOOST_TEST(each.duet);
    BOOST_TEST(!each.comparison.floor.has_value());
  }
  BOOST_CHECK_EXCEPTION(leave_out(plan, "fibers/io_uring", "not permitted"), bench::run_invalid,
                        [](const auto& error) {
                          return std::string{error.what()}.find("not permitted") !=
                                 std::string::npos;
                        });
}

BOOST_AUTO_TEST_CASE(an_added_server_meets_both_sides) {
  auto request = asking("quick");
  request.added = {"mine=./my_echo --port {port}"};
  const auto plan = plan_run(request);
  const auto compared = plan.comparisons();
  BOOST_CHECK((std::count(compared.begin(), compared.end(),
                          bench::comparison{"asio-callback/epoll", "mine", "floor/epoll"})) == 1);
  BOOST_CHECK((std::count(compared.begin(), compared.end(),
                          bench::comparison{"fibers/epoll", "mine", "floor/epoll"})) == 1);
  const auto has_command = [](const bench::server_info& each) {
    return each.name == "mine" && each.command == "./my_echo --port {port}";
  };
  BOOST_TEST(std::any_of(plan.servers.begin(), plan.servers.end(), has_command));
}

BOOST_AUTO_TEST_CASE(a_filter_sees_the_scenario_and_both_servers) {
  auto request = asking("default");
  request.filter = "^c256/64 .*select";
  const auto plan = plan_run(request);
  BOOST_TEST(plan.pairings.size() == 2U);  // one row and the control
  BOOST_TEST(plan.pairings[0].comparison.contender == "fibers/select");
  BOOST_TEST(plan.scenarios().size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_number_of_rounds_replaces_the_budget) {
  auto request = asking("quick");
  BOOST_TEST(plan_run(request).budget.has_value());
  request.rounds = 3;
  const auto plan = plan_run(request);
  BOOST_TEST(plan.rounds == 3);
  BOOST_TEST(!plan.budget.has_value());
}

BOOST_AUTO_TEST_CASE(the_budget_grows_with_what_is_compared) {
  const auto usual = plan_run(asking("quick")).budget.value();
  auto request = asking("quick");
  request.filter = "select";
  BOOST_TEST((plan_run(request).budget.value() == usual));
  BOOST_TEST((plan_run(comparing({"floor/epoll", "fibers/epoll"})).budget.value() == usual));
  request = asking("quick");
  request.added = {"mine=./my_echo --port {port}"};
  const auto plan = plan_run(request);
  BOOST_TEST((plan.budget.value() > usual));
  BOOST_TEST((expected_duration(plan) <= plan.budget.value()));
  BOOST_TEST(rounds_in_budget(plan) == plan.rounds);
  const auto says = "(the suite's 28 s became ";
  BOOST_TEST(bench::title_of(plan).find(says) != std::string::npos, bench::title_of(plan));
  BOOST_TEST(bench::title_of(plan_run(asking("quick"))).find(says) == std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_does_not_exist_is_refused_by_name) {
  BOOST_CHECK_EXCEPTION(plan_run(asking("slow")), bench::usage_error, saying("--suite 'slow'"));
  BOOST_CHECK_EXCEPTION(plan_run(comparing({"fibers/epoll", "fibers/kqueue"})), bench::usage_error,
                        saying("'fibers/kqueue'"));
  BOOST_CHECK_EXCEPTION(plan_run(comparing({"fibers/epoll"})), bench::usage_error,
                        saying("two names"));
  auto request = asking("quick");
  request.filter = "nothing like it";
  BOOST_CHECK_EXCEPTION(plan_run(request), bench::usage_error, saying("matches none of"));
  request.filter = "(";
  BOOST_CHECK_EXCEPTION(plan_run(request), bench::usage_error, saying("regular expression"));
  request = asking("quick");
  request.rounds = 0;
  BOOST_CHECK_EXCEPTION(plan_run(request), bench::usage_error, saying("--rounds 0"));
}

BOOST_AUTO_TEST_CASE(a_target_is_loaded_alone_and_no_floor_rides_along) {
  auto request = asking("quick");
  request.targets = {"api=10.0.0.1:25000"};
  const auto plan = plan_run(request);
  int rows = 0;
  for (const auto& each : plan.pairings) {
    const auto& [base, contender, floor] = each.comparison;
    if (contender != "api" && base != "api") {
      BOOST_TEST(each.duet);
      BOOST_TEST(floor.has_value());
      continue;
    }
    ++rows;
    BOOST_TEST((!each.duet && each.exclusive && !floor && !each.control));
  }
  BOOST_TEST(rows == 4);  // two loads, against each of two servers
  const auto found = std::find_if(plan.servers.begin(), plan.servers.end(),
                                  [](const auto& each) { return each.name == "api"; });
  BOOST_REQUIRE(found != plan.servers.end());
  BOOST_TEST(found->target.value() == "10.0.0.1:25000");
  for (const auto& each : bench::counts_of(plan)) BOOST_TEST(each.server != "api");
}

BOOST_AUTO_TEST_CASE(the_control_is_never_a_target) {
  auto request = comparing({"floor/epoll", "api"});
  request.targets = {"api=10.0.0.1:25000", "[::1]:25000"};
  BOOST_TEST(plan_run(request).pairings.back().comparison.base == "floor/epoll");
  request.servers = {"api", "floor/epoll"};
  BOOST_TEST(plan_run(request).pairings.back().comparison.base == "floor/epoll");
  request.servers = {"api", "[::1]:25000"};
  BOOST_TEST(plan_run(request).pairings.back().comparison.base == "fibers/epoll");
}

BOOST_DATA_TEST_CASE(what_is_no_target_is_refused,
                     boost::unit_test::data::make({"", "here", "=10.0.0.1:25000", "a=", "a=:1",
                                                   "a=host", "host:0", "host:65536", "host:http",
                                                   "floor/epoll=host:1", "twice=host:1"}),
                     text) {
  BOOST_CHECK_THROW(bench::added_servers({"twice=./my_echo"}, {text}), bench::usage_error);
}

BOOST_DATA_TEST_CASE(what_is_no_added_server_is_refused,
                     data::make({"", "mine", "=x", "mine=", "fibers/epoll=x"}), text) {
  BOOST_CHECK_THROW(bench::added_servers({text}, {}), bench::usage_error);
}

BOOST_AUTO_TEST_CASE(scenarios_can_be_asked_for_instead) {
  auto request = asking("quick");
  request.scenarios = {"c8/100/r20k", "c4/64/churn"};
  const auto plan = plan_run(request);
  BOOST_REQUIRE(plan.scenarios().size() == 2);
  BOOST_TEST(plan.scenarios()[0].text() == "c8/100/r20k");
  BOOST_TEST(plan.pairings.back().control);
  BOOST_TEST(plan.pairings.back().scenario.text() == "c4/64/churn");  // the load with a cost
  request.scenarios = {"c8/100/r20k"};
  BOOST_TEST(plan_run(request).pairings.back().scenario.text() == "c8/100");
  request.scenarios = {"c8"};
  BOOST_CHECK_THROW(plan_run(request), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(blocks_that_want_more_descriptors_than_there_are_are_left_out_and_named) {
  auto request = comparing({"asio-callback/epoll", "fibers/epoll"});
  request.scenarios = {"c16/64", "c64/64+300idle"};
  request.descriptors = 800;
  const auto plan = plan_run(request);
  BOOST_REQUIRE(plan.pairings.size() == 3);
  BOOST_TEST(!plan.pairings[1].duet);  // a duet with the bare loop loads three servers
  BOOST_TEST(plan.pairings[1].exclusive);
  BOOST_REQUIRE(plan.left_out.size() == 1);
  BOOST_TEST(bench::text_of(plan.left_out[0]).find("want 1156 descriptors, and the limit is 800") !=
             std::string::npos);
  BOOST_TEST(plan.memory_connections == (std::vector<int>{16, 256}),
             boost::test_tools::per_element());
  BOOST_TEST(plan.pairings[2].duet);  // the control, with the load that fits
  request.descriptors = 200;
  BOOST_TEST(plan_run(request).pairings.size() == 2U);
  request.scenarios = {"c64/64+300idle"};
  request.descriptors = 800;
  const auto alone = plan_run(request).pairings.back();
  BOOST_TEST((alone.control && !alone.duet && alone.exclusive));
  request.descriptors = 200;
  BOOST_CHECK_EXCEPTION(plan_run(request), bench::usage_error, saying("c64/64+300idle"));
}

namespace {

// A build with fibers_echo, and what compares with it.
struct other_build {
  scratch_folder folder;
  bench::run_request request = asking("default");

  other_build() {
    std::filesystem::permissions(folder.write("fibers_echo", "#!/bin/sh\n"),
                                 std::filesystem::perms::owner_all);
    request.against = folder.path();
  }
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(another_build_is_compared_with_the_fibers_of_the_suite, other_build) {
  const auto plan = plan_run(request);
  const auto pairs = plan.comparisons();
  BOOST_REQUIRE(pairs.size() == 3U);
  BOOST_TEST((pairs[0] == bench::comparison{"old/fibers/epoll", "fibers/epoll", "floor/epoll"}));
  BOOST_TEST((pairs[1] == bench::comparison{"old/fibers/select", "fibers/select", "floor/select"}));
  BOOST_TEST(bench::injected_ns(pairs[2].contender).has_value());
  // Another build may have no servers of other things than echoes.
  auto usual = plan_run(asking("default"));
  std::erase_if(usual.pairings,
                [](const auto& each) { return each.comparison.base == "asio-coroutine/epoll"; });
  BOOST_TEST(plan.pairings.size() == usual.pairings.size());
  for (std::size_t i = 0; i < plan.pairings.size(); ++i) {
    BOOST_TEST(plan.pairings[i].scenario.text() == usual.pairings[i].scenario.text());
    BOOST_TEST(plan.pairings[i].duet == usual.pairings[i].duet);
  }
  BOOST_TEST(plan.pairings.back().comparison.base == "fibers/epoll");  // the control
}

BOOST_FIXTURE_TEST_CASE(of_another_build_only_the_named_servers_are_compared, other_build) {
  request.servers = {"fibers/poll"};
  const auto pairs = plan_run(request).comparisons();
  BOOST_REQUIRE(pairs.size() == 1U);
  BOOST_TEST(pairs[0].contender == "fibers/poll");
  BOOST_TEST(pairs[0].base == "old/fibers/poll");
}

BOOST_FIXTURE_TEST_CASE(another_build_is_compared_with_nothing_from_elsewhere, other_build) {
  auto with_program = request;
  with_program.added = {"mine=./mine {port}"};
  BOOST_CHECK_EXCEPTION(plan_run(with_program), bench::usage_error, saying("--against"));
  auto with_target = request;
  with_target.targets = {"localhost:1"};
  BOOST_CHECK_EXCEPTION(plan_run(with_target), bench::usage_error, saying("--against"));
  request.against = folder / "nowhere";
  BOOST_CHECK_EXCEPTION(plan_run(request), bench::usage_error, saying("has no fibers_echo"));
}

BOOST_AUTO_TEST_CASE(what_a_server_does_not_serve_is_refused_with_those_that_do) {
  bench::run_request request;
  request.servers = {"fibers/epoll", "go/epoll"};
  for (const std::string load : {"c1/json", "c1/fields", "c1/64/tls"}) {
    request.scenarios = {load};
    BOOST_CHECK_EXCEPTION(plan_run(request), bench::usage_error, [&](const auto& error) {
      return std::string{error.what()}.starts_with("--scenarios " + load +
                                                   ": go/epoll does not serve that; fibers");
    });
  }
  request.servers = {"fibers/epoll", "asio-callback/epoll"};
  request.scenarios = {"c1/json", "c1/64/tls"};
  for (const auto& each : plan_run(request).pairings)
    if (!each.control) BOOST_TEST((each.comparison.floor == "floor/epoll"));
}

BOOST_AUTO_TEST_CASE(a_suite_without_a_load_for_the_servers_says_so) {
  for (const auto& [suite, server] :
       {std::pair{"default", "asio-coroutine/epoll/buffered"},
        std::pair{"http", "asio-spawn/epoll"}, std::pair{"protocol", "asio-callback/epoll"},
        std::pair{"tls", "thread/blocking"}}) {
    auto request = asking(suite);
    request.servers = {server, "fibers/epoll"};
    BOOST_CHECK_EXCEPTION(plan_run(request), bench::usage_error, [](const auto& error) {
      return std::string{error.what()}.starts_with("--servers: they do not both serve");
    });
  }
}

BOOST_FIXTURE_TEST_CASE(another_build_without_the_program_of_a_load_is_refused, other_build) {
  request.servers = {"fibers/epoll"};
  request.scenarios = {"c1/64", "c1/json"};
  BOOST_CHECK_EXCEPTION(plan_run(request), bench::usage_error, saying("has no "));
}

BOOST_AUTO_TEST_CASE(a_server_that_cannot_acknowledge_has_no_one_way_load) {
  auto request = asking("default");
  request.added = {"mine=./mine --port {port}"};
  bool streams = false;
  for (const auto& each : plan_run(request).pairings) {
    streams = streams || each.scenario.stream;
    if (each.comparison.contender == "mine") BOOST_TEST(!each.scenario.one_way);
  }
  BOOST_TEST(streams);
  request.scenarios = {"c1/64K/oneway"};
  BOOST_CHECK_EXCEPTION(plan_run(request), bench::usage_error, [](const auto& error) {
    return std::string{error.what()}.find("c1/64K/oneway: mine does not serve that; it echoes") !=
           std::string::npos;
  });
}
