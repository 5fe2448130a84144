// The texts of caveats.
#include <bench/record/caveats.hpp>

#include <boost/test/unit_test.hpp>
#include <map>
#include <string>
#include <vector>

#include <tests/bench/synthetic_run.hpp>

BOOST_AUTO_TEST_CASE(every_caveat_is_a_sentence_of_its_own) {
  std::map<std::string, int> seen;
  for (const auto& each : every_caveat().caveats_found) {
    const auto text = bench::text_of(each);
    BOOST_TEST(text.size() > 20, text);
    BOOST_TEST(text.back() != '.', text);
    BOOST_TEST(++seen[text] == 1, text);
  }
}

BOOST_AUTO_TEST_CASE(one_saturated_row_is_its_own_sentence_and_several_share_one_at_the_end) {
  using bench::caveats::client_saturated, bench::caveats::debug_build;
  const client_saturated one{"mine", "c64/512", 0.97}, other{"yours", "c1/64", 1};
  BOOST_TEST(bench::sentences_of({one}) == std::vector<std::string>{bench::text_of(one)},
             boost::test_tools::per_element());
  const std::vector<std::string> expected{
      bench::text_of(debug_build{"mine"}),
      "the client was at the limit of its core, so throughput is the client's: "
      "mine on c64/512 (97 %); yours on c1/64 (100 %)"};
  BOOST_TEST(bench::sentences_of({one, debug_build{"mine"}, other}) == expected,
             boost::test_tools::per_element());
  BOOST_TEST(bench::sentences_of({}).empty());
  BOOST_TEST(bench::sentences_of({debug_build{"mine"}, debug_build{"mine"}}).size() == 1U);
}

BOOST_AUTO_TEST_CASE(the_loads_that_saturated_the_client_are_named_once_for_each_server) {
  using bench::caveats::client_saturated;
  const std::vector<std::string> expected{
      "the client was at the limit of its core, so throughput is the client's: "
      "mine on c64/512, c1/64 (97 to 100 %); yours on c1/64 (96 %)"};
  BOOST_TEST(bench::sentences_of({client_saturated{"mine", "c64/512", 0.97},
                                  client_saturated{"yours", "c1/64", 0.96},
                                  client_saturated{"mine", "c64/512", 0.98},
                                  client_saturated{"mine", "c1/64", 1}}) == expected,
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_loads_that_saturated_generators_are_named_once_for_each_host) {
  using bench::caveats::generator_saturated;
  const generator_saturated one{"b", "c64/512", 0.97};
  BOOST_TEST(bench::sentences_of({one}) == std::vector<std::string>{bench::text_of(one)},
             boost::test_tools::per_element());
  const std::vector<std::string> expected{
      "the busiest load generator of a host was at the limit of its CPU, so what it measured is "
      "its own limit: b on c64/512, c256/64 (97 to 100 %); c on c64/512 (96 %)"};
  BOOST_TEST(bench::sentences_of({one, generator_saturated{"c", "c64/512", 0.96},
                                  generator_saturated{"b", "c256/64", 1}}) == expected,
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(hosts_that_differ_and_hosts_that_begin_late_share_a_sentence_each) {
  using bench::caveats::host_differs, bench::caveats::start_skewed;
  const host_differs one{"b", "c64/512", "p50 0.43 ms and not 0.21 ms"}, other{"c", "c1/64", "x"};
  const start_skewed early{"a", 1, 5000}, late{"b", 0.2, 4321};
  const std::vector<std::string> alone{bench::text_of(one), bench::text_of(late)};
  BOOST_TEST(bench::sentences_of({late, one}) == alone, boost::test_tools::per_element());
  const std::vector<std::string> expected{
      "load from some hosts differs from that of the others: b on c64/512 (p50 0.43 ms and not "
      "0.21 "
      "ms); c on c1/64 (x)",
      "generators of some hosts may have begun more than 1 % of a slice before or after others, so "
      "not all generators timed the same stretch of the load: a in 100 % of its slices, by up to 5 "
      "ms; b in 20 % "
      "of "
      "its slices, by up to 4.32 ms"};
  BOOST_TEST(bench::sentences_of({early, one, late, other}) == expected,
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_caveat_about_a_host_names_it_and_its_figure) {
  using namespace bench::caveats;
  BOOST_TEST(bench::text_of(generator_saturated{"b", "c64/512", 0.97}) ==
             "b on c64/512: the busiest load generator of this host used 97 % of its CPU, so what "
             "it measured is its own limit");
  BOOST_TEST(
      bench::text_of(start_skewed{"b", 0.23, 4321}) ==
      "b: in 23 % of its slices its generators may have begun more than 1 % of the slice before "
      "or after others, by up to 4.32 ms, so not all generators timed the same stretch of the "
      "load");
  BOOST_TEST(bench::text_of(host_left_out{"c"}) ==
             "c was left out (--without c): the slices without it were loaded by fewer generators");
  BOOST_TEST(bench::text_of(servers_elsewhere{"d"}) ==
             "the servers ran on d: their system calls were not counted, and what else used that "
             "host's CPU is what d itself told");
}

BOOST_AUTO_TEST_CASE(the_first_caveat_of_a_kind_is_found_and_of_a_kind_that_is_missing_none) {
  const std::vector<bench::caveat> all{bench::caveats::one_cpu{}, bench::caveats::debug_build{"a"},
                                       bench::caveats::debug_build{"b"}};
  const auto* found = bench::first_of<bench::caveats::debug_build>(all);
  BOOST_REQUIRE(found);
  BOOST_TEST(found->server == "a");
  BOOST_TEST(!bench::first_of<bench::caveats::run_void>(all));
}

BOOST_AUTO_TEST_CASE(one_block_is_said_in_the_singular) {
  const auto empty = [](int blocks) {
    return bench::text_of(bench::caveats::empty_slices{"c1/64", "mine", blocks});
  };
  const auto missing = [](int blocks) {
    return bench::text_of(bench::caveats::cost_missing{"c1/64", "mine", blocks});
  };
  BOOST_TEST(empty(1).find(" in 1 block,") != std::string::npos, empty(1));
  BOOST_TEST(empty(2).find(" in 2 blocks,") != std::string::npos, empty(2));
  BOOST_TEST(missing(1).find(": 1 block is left out") != std::string::npos, missing(1));
  BOOST_TEST(missing(2).find(": 2 blocks are left out") != std::string::npos, missing(2));
}
