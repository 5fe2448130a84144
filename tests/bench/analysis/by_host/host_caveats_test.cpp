// What is wrong with the load of single hosts is a caveat that names the host.
#include <bench/analysis/analysis.hpp>
#include <bench/analysis/by_host/host_caveats.hpp>

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include <tests/bench/synthetic_run.hpp>
#include <tests/bench/with_hosts.hpp>
#include <tests/texts.hpp>

namespace {

bench::run_record usual() {
  return with_hosts(synthetic_run({.rounds = 3, .select_too = false}));
}

// The caveats of that kind, as sentences.
template <class Kind>
std::vector<std::string> said(const bench::run_record& record) {
  std::vector<std::string> sentences;
  for (const auto& each : bench::analyse(record).caveats)
    if (std::holds_alternative<Kind>(each)) sentences.push_back(bench::text_of(each));
  return sentences;
}

using bench::caveats::client_saturated;
using bench::caveats::generator_saturated;
using bench::caveats::host_differs;
using bench::caveats::start_skewed;

template <class Change>
void for_each_slice(bench::run_record& record, const std::string& load, Change change) {
  for (auto& block : record.blocks)
    if (block.scenario.text() == load)
      for (auto& timed : block.slices) change(block, timed);
}

}  // namespace

BOOST_AUTO_TEST_CASE(hosts_that_are_alike_have_no_caveat) {
  const auto record = usual();
  BOOST_TEST(said<host_differs>(record).empty());
  BOOST_TEST(said<generator_saturated>(record).empty());
  BOOST_TEST(said<start_skewed>(record).empty());
  const auto without = bench::analyse(synthetic_run({.rounds = 3, .select_too = false})).caveats;
  BOOST_TEST(bench::analyse(record).caveats.size() == without.size());
}

BOOST_AUTO_TEST_CASE(a_host_whose_replies_come_much_later_is_named_with_both_medians) {
  auto record = usual();
  for_each_slice(record, "c64/512", [](auto&, auto& timed) {
    for (auto& share : *timed.hosts) share.p50_us = share.host == "b" ? 431 : 210;
  });
  const std::vector<std::string> expected{
      "load from b on c64/512 differs from that of the other hosts: p50 0.43 ms and not 0.21 ms"};
  BOOST_TEST(said<host_differs>(record) == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_host_is_much_later_only_by_a_quarter_and_by_100_microseconds) {
  for (const auto& [own_us, others_us, differs] : {std::tuple{1250.0, 1000.0, false},
                                                   {1251.0, 1000.0, true},
                                                   {200.0, 100.0, false},
                                                   {201.0, 100.0, true},
                                                   {100.0, 201.0, false}}) {
    auto record = usual();
    for_each_slice(record, "c64/512", [&, own = own_us, others = others_us](auto&, auto& timed) {
      for (auto& share : *timed.hosts) share.p50_us = share.host == "b" ? own : others;
      timed.hosts->back().p50_us = others;
    });
    BOOST_TEST(said<host_differs>(record).size() == (differs ? 1U : 0U), own_us);
  }
}

BOOST_AUTO_TEST_CASE(a_stall_in_a_few_slices_is_no_difference_between_hosts) {
  auto record = usual();
  for_each_slice(record, "c64/512", [](auto& block, auto& timed) {
    if (block.round == 0) timed.hosts->at(1).p50_us += 5000;
  });
  BOOST_TEST(said<host_differs>(record).empty());
}

BOOST_AUTO_TEST_CASE(of_two_slices_no_host_differs) {
  auto record = usual();
  std::erase_if(record.blocks, [](const bench::block& block) {
    return block.kind != bench::block_kind::exclusive || block.round > 0;
  });
  for (auto& block : record.blocks) {
    block.slices.erase(block.slices.begin() + 1);  // one slice of each server is left
    block.slices.pop_back();
  }
  for_each_share(record, "b", [](auto& share) {
    share.p50_us += 5000;
    share.messages = 0;
  });
  BOOST_TEST(said<host_differs>(record).empty());
}

BOOST_AUTO_TEST_CASE(a_host_with_much_less_per_generator_is_named_with_both_rates) {
  auto record = usual();
  for_each_slice(record, "c64/512", [](auto&, auto& timed) {
    timed.seconds = 0.5;
    for (auto& share : *timed.hosts) {
      share.messages = share.host == "b" ? 3 * 700 : share.host == "a" ? 2 * 1000 : 1000;
    }
  });
  const std::vector<std::string> expected{
      "load from b on c64/512 differs from that of the other hosts: 1,400 messages/s per "
      "generator and not 2,000"};
  BOOST_TEST(said<host_differs>(record) == expected, boost::test_tools::per_element());
  for_each_share(record, "b", [](auto& share) { share.messages = share.messages * 760 / 700; });
  BOOST_TEST(said<host_differs>(record).empty());
}

BOOST_AUTO_TEST_CASE(a_host_that_has_one_of_few_connections_does_not_differ_by_its_messages) {
  auto record = usual();
  for_each_slice(record, "c1/64", [](auto&, auto& timed) {
    for (auto& share : *timed.hosts) share.messages = share.host == "a" ? timed.messages : 0;
  });
  BOOST_TEST(said<host_differs>(record).empty());
}

BOOST_AUTO_TEST_CASE(a_host_that_is_gone_differs_from_nobody_where_it_is_not) {
  auto record = usual();
  leave_out(record, "b");
  BOOST_TEST(said<host_differs>(record).empty());
  leave_out(record, "c");  // the last host has nobody beside it
  for_each_share(record, "a", [](auto& share) { share.p50_us += 5000; });
  BOOST_TEST(said<host_differs>(record).empty());
}

BOOST_AUTO_TEST_CASE(a_generator_at_the_limit_names_its_host_and_not_the_client) {
  auto record = with_hosts(synthetic_run({.rounds = 3, .select_too = false, .utilisation = 0.97}));
  for (const auto* host : {"a", "c"})
    for_each_share(record, host, [](auto& share) { share.client_utilisation = 0.94; });
  BOOST_TEST(said<client_saturated>(record).empty());
  const auto sentences = said<generator_saturated>(record);
  BOOST_REQUIRE(sentences.size() == 4U);  // one for each load, whatever server it was
  BOOST_TEST(sentences.front() ==
             "b on c1/64: the busiest load generator of this host used 97 % of its CPU, so what it "
             "measured is its own limit");
}

BOOST_AUTO_TEST_CASE(throughput_that_a_generator_limited_has_no_verdict) {
  auto record = usual();
  for_each_slice(record, "c64/512", [](auto& block, auto& timed) {
    if (block.kind == bench::block_kind::exclusive && timed.server == "fibers/epoll")
      timed.hosts->at(2).client_utilisation = 0.95;
  });
  const auto found = bench::analyse(record);
  for (const auto& row : found.loads) {
    const bool limited = row.scenario.text() == "c64/512";
    BOOST_TEST(row.contender.client_limited == limited);
    BOOST_TEST(!row.base.client_limited);
    BOOST_TEST((row.throughput_ratio.n == 0) == limited);
  }
  BOOST_TEST(said<generator_saturated>(record).size() == 1U);
}

BOOST_AUTO_TEST_CASE(what_a_generator_used_in_a_duet_limits_nothing) {
  auto record = usual();
  for (auto& block : record.blocks)
    if (block.kind == bench::block_kind::duet)
      for (auto& timed : block.slices)
        for (auto& share : *timed.hosts) share.client_utilisation = 1;
  BOOST_TEST(said<generator_saturated>(record).empty());
  std::erase_if(record.blocks,
                [](const auto& block) { return block.kind != bench::block_kind::duet; });
  BOOST_TEST(said<generator_saturated>(record).empty());
}

BOOST_AUTO_TEST_CASE(a_host_whose_generators_often_begin_before_or_after_others_is_named) {
  auto record = usual();
  int slices = 0;
  const auto skew = [&](double us) {
    return [&slices, us](auto& share) { share.start_skew_us = slices++ % 5 == 0 ? us : 100; };
  };
  for_each_share(record, "b", skew(2000));  // 1 % of 0.2 s
  BOOST_TEST(said<start_skewed>(record).empty());
  slices = 0;
  for_each_share(record, "b", skew(4300));
  const auto sentences = said<start_skewed>(record);
  BOOST_REQUIRE(sentences.size() == 1U);
  BOOST_TEST(contains(sentences.front(), "b: in 20 % of its slices"), sentences.front());
  BOOST_TEST(contains(sentences.front(), "by up to 4.3 ms"), sentences.front());
  slices = 0;
  for_each_share(record, "b",
                 [&](auto& share) { share.start_skew_us = slices++ % 10 == 5 ? 4300 : 100; });
  BOOST_TEST(said<start_skewed>(record).empty());  // a tenth of them
}

BOOST_AUTO_TEST_CASE(one_generator_alone_begins_neither_before_nor_after_others) {
  auto record = usual();
  for_each_share(record, "c", [](auto& share) { share.start_skew_us = 90'000; });
  BOOST_TEST(said<start_skewed>(record).size() == 1U);
  leave_out(record, "a");
  leave_out(record, "b");
  BOOST_TEST(said<start_skewed>(record).empty());
}
