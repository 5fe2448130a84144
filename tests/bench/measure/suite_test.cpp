#define BOOST_TEST_MODULE suite
#include <algorithm>
#include <bench/measure/suite.hpp>
#include <bench/server/catalogue.hpp>
#include <bench/text/failure.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <map>
#include <set>

using namespace std::chrono_literals;
using bench::block_kind;
using bench::plan_run;
using bench::run_request;
namespace data = boost::unit_test::data;

namespace {

run_request asking(std::string suite) {
  run_request request;
  request.suite = std::move(suite);
  return request;
}

run_request comparing(std::vector<std::string> servers) {
  auto request = asking("quick");
  request.servers = std::move(servers);
  return request;
}

auto saying(std::string words) {
  return [words = std::move(words)](const bench::usage_error& error) {
    BOOST_TEST_MESSAGE(error.what());
    return std::string{error.what()}.find(words) != std::string::npos;
  };
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_suites_fit_into_their_time) {
  BOOST_TEST((expected_duration(plan_run(asking("quick"))) < 30s));
  BOOST_TEST((expected_duration(plan_run(asking("default"))) < 175s));
  BOOST_TEST((expected_duration(plan_run(asking("thorough"))) < 720s));
  for (const auto* each : {"reactors", "styles", "threads", "spin", "unix", "connections"})
    BOOST_TEST((expected_duration(plan_run(asking(each))) < 300s), each);
}

BOOST_AUTO_TEST_CASE(every_suite_is_listed_with_what_it_takes) {
  const auto all = bench::suite_summaries();
  BOOST_TEST(all.size() == 9U);
  for (const auto& each : all) {
    BOOST_TEST((each.expected == expected_duration(plan_run(asking(each.name)))), each.name);
    BOOST_TEST(!each.purpose.empty(), each.name);
  }
}

BOOST_DATA_TEST_CASE(a_suite_compares_fibers_with_asio_on_each_reactor_beside_the_bare_loop,
                     data::make({"quick", "default", "thorough"}), suite) {
  const auto compared = plan_run(asking(suite)).comparisons();
  BOOST_REQUIRE(compared.size() == (suite == std::string{"quick"} ? 2U : 3U));
  BOOST_CHECK(
      (compared[0] == bench::comparison{"asio-callback/epoll", "fibers/epoll", "floor/epoll"}));
  BOOST_CHECK(
      (compared[1] == bench::comparison{"asio-callback/select", "fibers/select", "floor/select"}));
}

BOOST_DATA_TEST_CASE(the_longer_ones_end_with_a_microsecond_that_is_to_be_found,
                     data::make({"default", "thorough"}), suite) {
  const auto plan = plan_run(asking(suite));
  const auto& last = plan.pairings[plan.pairings.size() - 2];  // before the control
  BOOST_CHECK((last.comparison ==
               bench::comparison{"fibers/epoll", "fibers/epoll/inject1000ns", "floor/epoll"}));
  BOOST_TEST((last.duet && !last.exclusive && !last.control));
  BOOST_TEST(plan.servers.back().command.ends_with("--port 0 --inject-ns 1000"));
  BOOST_TEST(!is_weighed(plan.servers.back()));
  for (const auto& each : counts_of(plan))
    BOOST_TEST(!bench::injected_ns(each.server).has_value(), each.server);
}

BOOST_AUTO_TEST_CASE(who_asks_for_servers_or_scenarios_gets_no_others) {
  auto request = asking("default");
  request.scenarios = {"c1/64"};
  for (const auto& plan : {plan_run(request), plan_run(comparing({"floor/epoll", "fibers/epoll"}))})
    for (const auto& each : plan.servers)
      BOOST_TEST(!bench::injected_ns(each.name).has_value(), each.name);
}

BOOST_DATA_TEST_CASE(every_suite_has_enough_rounds_for_an_interval,
                     data::make({"quick", "default", "thorough", "reactors", "styles", "threads",
                                 "spin", "unix", "connections"}),
                     suite) {
  BOOST_TEST(plan_run(asking(suite)).rounds >= 6);
}

BOOST_AUTO_TEST_CASE(a_round_holds_each_pairing_once_in_an_order_that_the_seed_decides) {
  const auto plan = plan_run(asking("default"));
  const auto names = [](const std::vector<bench::planned_block>& blocks) {
    std::vector<std::string> all;
    for (const auto& each : blocks) {
      all.push_back(each.scenario.text() + each.comparison.base + each.comparison.contender +
                    (each.kind == block_kind::duet ? " duet" : " exclusive"));
    }
    return all;
  };
  auto first = names(blocks_of_round(plan, 0));
  BOOST_TEST(first == names(blocks_of_round(plan, 0)));
  auto second = names(blocks_of_round(plan, 1));
  BOOST_TEST(first != second);
  auto other = plan;
  other.seed = plan.seed + 1;
  BOOST_TEST(first != names(blocks_of_round(other, 0)));
  std::sort(first.begin(), first.end());
  std::sort(second.begin(), second.end());
  BOOST_TEST(first == second);
  BOOST_TEST(std::set<std::string>(first.begin(), first.end()).size() == first.size());
}

BOOST_AUTO_TEST_CASE(orders_are_balanced_over_the_rounds) {
  const auto plan = plan_run(asking("quick"));
  std::map<std::string, int> orders;
  for (int round = 0; round < 12; ++round) {
    for (const auto& each : blocks_of_round(plan, round)) ++orders[each.order];
  }
  BOOST_TEST(orders.at("ABBA") == orders.at("BAAB"));
  std::map<char, int> leads;
  int base_before_contender = 0;
  int duets = 0;
  for (const auto& [order, count] : orders) {
    if (order.size() != 3) continue;
    leads[order[0]] += count;
    duets += count;
    if (order.find('A') < order.find('B')) base_before_contender += count;
  }
  BOOST_TEST(leads['A'] == leads['B']);
  BOOST_TEST(leads['A'] == leads['F']);
  BOOST_TEST(base_before_contender * 2 == duets);
}

BOOST_AUTO_TEST_CASE(every_run_has_a_control_in_the_company_of_the_bare_loop) {
  const auto plan = plan_run(asking("quick"));
  const auto& control = plan.pairings.back();
  BOOST_TEST(control.control);
  BOOST_TEST(control.comparison.base == "fibers/epoll");
  BOOST_TEST(control.comparison.contender == "fibers/epoll");
  BOOST_TEST(control.comparison.floor.value() == "floor/epoll");
  BOOST_TEST(control.scenario.text() == "c64/512");
  BOOST_TEST(plan.comparisons().size() == 2U);  // and is no row of the report
}

BOOST_AUTO_TEST_CASE(the_first_of_the_servers_is_the_base_of_the_others) {
  const auto compared =
      plan_run(comparing({"floor/select", "fibers/select", "asio-callback/select"})).comparisons();
  BOOST_REQUIRE(compared.size() == 2);
  BOOST_TEST(compared[0].base == "floor/select");
  BOOST_TEST(compared[0].contender == "fibers/select");
  BOOST_TEST(compared[1].contender == "asio-callback/select");
  BOOST_TEST(!compared[0].floor.has_value());  // it is the base already
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

BOOST_AUTO_TEST_CASE(what_is_asked_for_twice_is_measured_once) {
  auto request = comparing({"floor/epoll", "fibers/epoll", "fibers/epoll"});
  request.scenarios = {"c1/64", "c1/64"};
  BOOST_TEST(plan_run(request).pairings.size() == 2U);  // and the control
}

BOOST_AUTO_TEST_CASE(every_side_is_known_on_every_reactor_that_it_is_built_for) {
  for (const std::string side :
       {"fibers", "floor", "asio-callback", "asio-coroutine", "asio-spawn"})
    for (const std::string io : {"select", "epoll", "io_uring"}) {
      const auto found = bench::find_server(side + '/' + io);
      BOOST_TEST(found.name == side + '/' + io);
      BOOST_TEST(found.command.find(io) != std::string::npos, found.command);
      BOOST_TEST(bench::bundled_reactor(found.name).value() == io);
      BOOST_TEST(bench::may_be_missing(found.name) == (io == "io_uring"));
    }
  BOOST_TEST(bench::find_server("fibers/poll").command ==
             "fibers_echo --quiet --io poll --idle-timeout 0s --port 0");
  BOOST_CHECK_THROW(bench::find_server("asio-callback/poll"), bench::usage_error);
  BOOST_CHECK_THROW(bench::find_server("floor/poll"), bench::usage_error);
}

BOOST_AUTO_TEST_CASE(a_name_says_how_many_threads_in_which_shape_and_whether_it_spins) {
  const auto ends = [](const std::string& name, const std::string& options) {
    const auto command = bench::find_server(name).command;
    BOOST_TEST(command.ends_with(" --port 0" + options), command);
  };
  ends("fibers/epoll/t2", " --threads 2");
  ends("floor/io_uring/t16", " --threads 16");
  ends("asio-spawn/epoll/t2/shared", " --threads 2 --shape shared");
  ends("fibers/io_uring/spin50us", " --spin 50us");
  ends("fibers/select/t4/spin1ms", " --threads 4 --spin 1ms");
  ends("asio-spawn/epoll/unix", " --unix {path}");
}

BOOST_DATA_TEST_CASE(what_no_server_offers_is_no_name,
                     data::make({"fibers/epoll/t1", "fibers/epoll/t0", "fibers/epoll/t2/shared",
                                 "asio-callback/epoll/shared", "asio-callback/epoll/spin50us",
                                 "floor/epoll/spin50us", "fibers/epoll/spin", "fibers/epoll/t2/",
                                 "fibers/epoll/spin50us/t2", "asio/epoll", "fibers"}),
                     name) {
  BOOST_CHECK_EXCEPTION(bench::find_server(name), bench::usage_error, saying(name));
}

BOOST_AUTO_TEST_CASE(the_bare_loop_rides_along_with_as_many_threads_as_both) {
  BOOST_TEST(bench::floor_of("fibers/epoll/t2", "asio-callback/epoll/t2/shared").value() ==
             "floor/epoll/t2");
  BOOST_TEST(bench::floor_of("fibers/epoll/unix", "asio-callback/epoll/unix").value() ==
             "floor/epoll/unix");
  BOOST_TEST(!bench::floor_of("fibers/epoll/unix", "fibers/epoll").has_value());
  BOOST_TEST(!bench::floor_of("fibers/epoll/t2", "fibers/epoll").has_value());
  BOOST_TEST(!bench::floor_of("fibers/poll", "fibers/poll").has_value());
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

BOOST_AUTO_TEST_CASE(no_row_of_a_suite_mixes_numbers_of_threads) {
  for (const auto& suite : bench::suite_summaries())
    for (const auto& each : plan_run(asking(suite.name)).comparisons())
      BOOST_TEST((each.base.find("/t2") == std::string::npos) ==
                     (each.contender.find("/t2") == std::string::npos),
                 each.contender);
}

BOOST_AUTO_TEST_CASE(reactors_are_compared_side_against_side_and_with_epoll) {
  const auto compared = plan_run(asking("reactors")).comparisons();
  for (const std::string io : {"epoll", "select", "io_uring"}) {
    const bench::comparison wanted{"asio-callback/" + io, "fibers/" + io, "floor/" + io};
    BOOST_TEST((std::count(compared.begin(), compared.end(), wanted) == 1), io);
  }
  for (const auto& each : plan_run(asking("reactors")).pairings)
    if (each.comparison.contender == "fibers/io_uring" && each.comparison.base == "fibers/epoll") {
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
  BOOST_TEST(rows == 4);  // two loads, against either side
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

BOOST_AUTO_TEST_CASE(the_default_suite_has_an_open_loop_and_churn) {
  std::set<std::string> names;
  for (const auto& each : blocks_of_round(plan_run(asking("default")), 0)) {
    const auto name = each.scenario.text();
    names.insert(name);
    BOOST_TEST((each.kind == block_kind::open_loop) == each.scenario.open_loop(), name);
  }
  BOOST_TEST(names.contains("c64/512/r50%"));
  BOOST_TEST(names.contains("c16/64/churn"));
}

BOOST_AUTO_TEST_CASE(scenarios_can_be_asked_for_instead) {
  auto request = asking("quick");
  request.scenarios = {"c8/100/r20k", "c4/64/churn"};
  const auto plan = plan_run(request);
  BOOST_REQUIRE(plan.scenarios().size() == 2);
  BOOST_TEST(plan.scenarios()[0].text() == "c8/100/r20k");
  BOOST_TEST(plan.pairings.back().control);
  BOOST_TEST(plan.pairings.back().scenario.text() == "c4/64/churn");  // of the row with a cost
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
  BOOST_TEST(!plan.pairings[1].duet);  // three servers ride in it
  BOOST_TEST(plan.pairings[1].exclusive);
  BOOST_REQUIRE(plan.left_out.size() == 1);
  BOOST_TEST(bench::text_of(plan.left_out[0]).find("want 1156 descriptors, and the limit is 800") !=
             std::string::npos);
  BOOST_TEST(plan.memory_connections == (std::vector<int>{16, 256}),
             boost::test_tools::per_element());
  BOOST_TEST(plan.pairings[2].duet);  // the control, on the load whose duet fits
  request.descriptors = 200;
  BOOST_TEST(plan_run(request).pairings.size() == 2U);
  request.scenarios = {"c64/64+300idle"};
  request.descriptors = 800;
  const auto alone = plan_run(request).pairings.back();
  BOOST_TEST((alone.control && !alone.duet && alone.exclusive));
  request.descriptors = 200;
  BOOST_CHECK_EXCEPTION(plan_run(request), bench::usage_error, saying("c64/64+300idle"));
}
