#include <algorithm>
#include <bench/measure/schedule.hpp>
#include <bench/measure/suites.hpp>
#include <bench/server/catalogue.hpp>
#include <bench/statistics/statistics.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <set>
#include <string>
#include <vector>

#include <tests/bench/measure/requests.hpp>

using namespace std::chrono_literals;
using bench::block_kind;
using bench::plan_run;
namespace data = boost::unit_test::data;

BOOST_AUTO_TEST_CASE(the_suites_fit_into_their_time) {
  BOOST_TEST((expected_duration(plan_run(asking("quick"))) < 30s));
  BOOST_TEST((expected_duration(plan_run(asking("default"))) < 300s));
  BOOST_TEST((expected_duration(plan_run(asking("thorough"))) < 1000s));
  for (const auto* each : {"reactors", "styles", "threads", "spin", "unix", "peers", "part-load",
                           "automatic", "http", "protocol", "tls"})
    BOOST_TEST((expected_duration(plan_run(asking(each))) < 300s), each);
  BOOST_TEST((expected_duration(plan_run(asking("connections"))) < 400s));
  for (const auto* each : {"gather", "streams"})
    BOOST_TEST((expected_duration(plan_run(asking(each))) < 600s), each);
}

BOOST_AUTO_TEST_CASE(every_suite_is_listed_with_what_it_takes) {
  const auto all = bench::suite_summaries();
  BOOST_TEST(all.size() == 17U);
  for (const auto& each : all) {
    BOOST_TEST((each.expected == expected_duration(plan_run(asking(each.name)))), each.name);
    BOOST_TEST(!each.purpose.empty(), each.name);
  }
}

BOOST_DATA_TEST_CASE(a_suite_compares_fibers_with_asio_on_each_reactor_beside_the_bare_loop,
                     data::make({"quick", "default", "thorough"}), suite) {
  const auto compared = plan_run(asking(suite)).comparisons();
  BOOST_REQUIRE(compared.size() == (suite == std::string{"quick"} ? 2U : 4U));
  BOOST_CHECK(
      (compared[0] == bench::comparison{"asio-callback/epoll", "fibers/epoll", "floor/epoll"}));
  const bench::comparison select{"asio-callback/select", "fibers/select", "floor/select"};
  BOOST_TEST((std::count(compared.begin(), compared.end(), select) == 1));
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

// With few rounds, even a difference that all of them show is less sure than the correction for so
// many rows demands.
BOOST_DATA_TEST_CASE(every_suite_has_enough_rounds_to_name_a_difference_in_one_of_its_rows,
                     data::make({"quick", "default", "thorough", "reactors", "styles", "threads",
                                 "spin", "gather", "unix", "peers", "connections", "part-load",
                                 "streams", "automatic", "http", "protocol", "tls"}),
                     suite) {
  const auto plan = plan_run(asking(suite));
  const bool judges_rates =
      std::set<std::string>{"part-load", "gather", "automatic"}.contains(suite);
  const auto rows =
      std::count_if(plan.pairings.begin(), plan.pairings.end(), [&](const auto& each) {
        return !each.control && (each.duet || each.exclusive || judges_rates);
      });
  const std::vector<double> as_plain_as_can_be(static_cast<std::size_t>(plan.rounds), 0.1);
  const double p = bench::signed_rank_p(as_plain_as_can_be, 1);
  BOOST_TEST(static_cast<double>(rows) * p <= bench::significance);
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
  int with_epoll = 0;
  for (const auto& each : plan_run(asking("reactors")).pairings)
    if (each.comparison.contender == "fibers/io_uring" && each.comparison.base == "fibers/epoll") {
      ++with_epoll;
      BOOST_TEST(!each.duet);
      BOOST_TEST(each.exclusive);
    }
  BOOST_TEST(with_epoll > 0);
}

BOOST_AUTO_TEST_CASE(every_server_of_others_is_compared_with_asio_at_full_and_at_half_load) {
  const auto plan = plan_run(asking("peers"));
  for (const auto& each : bench::bundled_servers()) {
    if (!bench::package_of(each.name) && each.name != "thread/blocking" &&
        each.name != "floor/epoll")
      continue;
    std::set<std::string> loads;
    for (const auto& row : plan.pairings)
      if (row.comparison.contender == each.name && row.comparison.base == "asio-callback/epoll")
        loads.insert(row.scenario.text());
    BOOST_TEST((loads == std::set<std::string>{"c64/512", "c64/512/r50%"}), each.name);
  }
}

BOOST_AUTO_TEST_CASE(without_any_server_of_others_the_suite_still_compares_fibers_with_asio) {
  auto plan = plan_run(asking("peers"));
  for (const auto& each : bench::bundled_servers())
    if (bench::package_of(each.name)) leave_out(plan, each.name, "it is missing");
  BOOST_TEST(plan.left_out.size() == 5U);
  BOOST_TEST(plan.comparisons().size() == 3U);  // fibers, thread_echo and the bare loop
  for (const auto& each : plan.servers) BOOST_TEST(!bench::package_of(each.name), each.name);
}

BOOST_AUTO_TEST_CASE(the_part_load_suite_goes_from_a_tenth_of_the_rate_to_the_full_load) {
  const auto plan = plan_run(asking("part-load"));
  for (const std::string io : {"epoll", "io_uring"}) {
    std::set<int> percents;
    for (const auto& row : plan.pairings)
      if (row.comparison ==
          bench::comparison{"asio-callback/" + io, "fibers/" + io, "floor/" + io}) {
        BOOST_TEST(row.scenario.at_full_rate().text() == "c64/512");
        percents.insert(row.scenario.rate_percent);
      }
    BOOST_TEST((percents == std::set<int>{0, 10, 30, 50, 80}), io);  // 0: the full load
  }
}

BOOST_AUTO_TEST_CASE(slices_grow_as_the_rate_falls_and_only_below_half_of_it) {
  const bench::block_timing timing{.exclusive_slice = 200ms, .longest_slice = 800ms};
  const auto slice_at = [&](const char* load) {
    return timing.slice_alone(bench::scenario::parse(load));
  };
  BOOST_TEST((slice_at("c64/512") == 200ms));
  BOOST_TEST((slice_at("c64/512/r80%") == 200ms));
  BOOST_TEST((slice_at("c64/512/r50%") == 200ms));
  BOOST_TEST((slice_at("c64/512/r25%") == 400ms));
  BOOST_TEST((slice_at("c64/512/r1%") == 800ms));
  BOOST_TEST((slice_at("c64/512/r100") == 200ms));  // it is unknown how much of the full rate
}

BOOST_AUTO_TEST_CASE(the_default_suite_has_an_open_loop_churn_and_streams) {
  std::set<std::string> names;
  for (const auto& each : blocks_of_round(plan_run(asking("default")), 0)) {
    const auto name = each.scenario.text();
    names.insert(name);
    BOOST_TEST((each.kind == block_kind::open_loop) == each.scenario.open_loop(), name);
  }
  BOOST_TEST(names.contains("c64/512/r50%"));
  BOOST_TEST(names.contains("c16/64/churn"));
  BOOST_TEST(names.contains("c1/64K/stream"));
  BOOST_TEST(names.contains("c16/64K/oneway"));
}
