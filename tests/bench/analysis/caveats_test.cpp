// Caveats that analyse() derives from a whole run, and that every form of the report prints.
#include <bench/analysis/analysis.hpp>
#include <bench/compare/gate.hpp>
#include <bench/record/caveats.hpp>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <optional>
#include <string>
#include <variant>

#include <tests/bench/analysis/cost_row_of.hpp>
#include <tests/bench/report/every_form.hpp>
#include <tests/bench/synthetic_run.hpp>

using bench::analyse;

namespace {

// True if one caveat contains the sentence. Then every form of the report must print it.
bool has_caveat(const bench::run_record& record, const std::string& sentence) {
  const auto found = analyse(record);
  const auto count = std::count_if(found.caveats.begin(), found.caveats.end(), [&](auto& each) {
    return contains(bench::text_of(each), sentence);
  });
  BOOST_TEST(count <= 1);
  for (auto form : every_form(record)) {
    std::replace(form.begin(), form.end(), '\n', ' ');
    if (count == 1) BOOST_TEST(contains(form, sentence), sentence);
  }
  return count == 1;
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_others_took_in_the_median_block_is_a_caveat) {
  auto record = synthetic_run();
  BOOST_TEST(!has_caveat(record, "other programs took"));
  BOOST_TEST(!has_caveat(record, "the hypervisor took"));
  for (auto& block : record.blocks) block.foreign_cpu_share = block.round < 4 ? 0.9 : 0.01;
  BOOST_TEST(!has_caveat(record, "other programs took"));
  for (auto& block : record.blocks) block.foreign_cpu_share = block.round < 4 ? 0.01 : 0.3;
  BOOST_TEST(has_caveat(record, "other programs took 30 % of the server core"));
  BOOST_TEST(!has_caveat(record, "the hypervisor took"));
  for (auto& block : record.blocks) block.steal_share = 0.2;
  BOOST_TEST(has_caveat(record, "the hypervisor took 20 % of the server core"));
}

BOOST_AUTO_TEST_CASE(a_quarter_of_the_servers_processor_is_the_most_that_others_may_take) {
  for (const auto& [share, who] : {std::pair{&bench::block::foreign_cpu_share, "other programs"},
                                   {&bench::block::steal_share, "the hypervisor"}}) {
    auto record = synthetic_run();
    for (auto& block : record.blocks) block.*share = 0.25;
    BOOST_TEST(!bench::judge_gate(analyse(record), 0.5).reasons.front().ends_with("not known"));
    for (auto& block : record.blocks) block.*share = 0.26;
    const auto found = analyse(record);
    const auto why = std::string{"n/a: "} + who + " took 26 % of the servers' processor";
    for (const auto& row : found.costs) BOOST_TEST(row.verdict.words == why);
    for (const auto& row : found.loads) BOOST_TEST(row.throughput_verdict.value().words == why);
    for (const auto& row : found.loads) BOOST_TEST(row.p50.value().verdict.words == why);
    for (const auto& row : found.open_loops) BOOST_TEST(row.p50.value().verdict.words == why);
    BOOST_REQUIRE(found.headlines.size() == 1U);
    BOOST_TEST(found.headlines.front().starts_with(std::string{"No verdict: "} + who));
    const auto gate = bench::judge_gate(found, 0.5);
    BOOST_TEST((gate.result == bench::gate_result::inconclusive));
    for (const auto& form : every_form(record)) BOOST_TEST(contains(form, "No verdict"));
    const auto brief = bench::terminal_summary(record.header, found, {});
    BOOST_TEST(brief.substr(brief.rfind("\n\n")).starts_with("\n\nNo verdict: "), brief);
  }
}

BOOST_AUTO_TEST_CASE(a_governor_that_follows_the_load_is_a_caveat) {
  auto record = synthetic_run();
  for (const auto* governor : {"n/a", "", "performance"}) {
    record.header.machine.governor = governor;
    BOOST_TEST(!has_caveat(record, "the governor is"));
  }
  record.header.machine.governor = "powersave";
  BOOST_TEST(has_caveat(record, "the governor is powersave"));
}

BOOST_AUTO_TEST_CASE(replies_that_wait_for_an_acknowledgement_are_a_caveat) {
  struct observed {
    double p50_us, client, server;  // the latter two: used shares of their cores
    bool delayed;
  };
  for (const auto& [p50_us, client, server, delayed] :
       {observed{43'900, 0.02, 0.01, true}, observed{43'900, 0.8, 0.01, false},
        observed{43'900, 0.02, 0.99, false}, observed{900, 0.02, 0.01, false}}) {
    auto record = synthetic_run({.utilisation = client});
    for (auto& block : record.blocks)
      for (auto& slice : block.slices)
        if (slice.server == "fibers/select" && block.scenario.connections == 1) {
          slice.p50_us = p50_us;
          slice.cpu_ns = server * slice.seconds * 1e9;
        }
    BOOST_TEST(has_caveat(record, "fibers/select on c1/64: half of the replies took 44 ms") ==
               delayed);
  }
}

BOOST_AUTO_TEST_CASE(noise_grade_d_is_a_caveat) {
  BOOST_TEST(!has_caveat(synthetic_run(), "noise grade D"));
  BOOST_TEST(has_caveat(synthetic_run({.noise = 0.2}), "noise grade D: a server against itself"));
}

BOOST_AUTO_TEST_CASE(threads_that_differ_are_a_caveat) {
  auto record = synthetic_run();
  BOOST_TEST(!has_caveat(record, "different numbers of threads"));
  record.header.servers[1].announced["threads"] = "2";
  BOOST_TEST(has_caveat(record, "use different numbers of threads"));
}

BOOST_AUTO_TEST_CASE(one_processor_is_a_caveat) {
  auto record = synthetic_run();
  record.header.machine.cpus = 1;
  BOOST_TEST(has_caveat(record, "one CPU only"));
}

BOOST_AUTO_TEST_CASE(a_killed_run_counts_only_its_complete_rounds) {
  auto record = synthetic_run({.rounds = 8});
  record.end.reset();
  record.blocks.resize(record.blocks.size() - 5);
  const auto found = analyse(record);
  BOOST_REQUIRE(found.caveats.size() == 1U);
  BOOST_TEST(bench::text_of(found.caveats[0]) == "the run ended early, after 7 of 8 rounds");
}

BOOST_AUTO_TEST_CASE(a_first_round_that_none_followed_is_not_called_complete) {
  auto record = synthetic_run({.rounds = 5});
  record.end = bench::run_end::interrupted;
  record.blocks.resize(1);
  BOOST_TEST(has_caveat(record, "the run ended early, after 0 of 5 rounds"));
}

BOOST_AUTO_TEST_CASE(blocks_that_follow_each_other_are_called_correlated) {
  auto record = synthetic_run({.rounds = 20});
  for (auto& block : record.blocks)
    for (auto& slice : block.slices)
      if (slice.launch == 1 && !block.control) *slice.cpu_ns *= 1 + 0.02 * block.round;
  const auto caveats_found = analyse(record).caveats;
  BOOST_TEST(std::any_of(caveats_found.begin(), caveats_found.end(), [](const auto& each) {
    return std::holds_alternative<bench::caveats::blocks_correlated>(each);
  }));
}

BOOST_AUTO_TEST_CASE(a_block_without_messages_has_no_number_and_is_counted) {
  auto record = synthetic_run({.rounds = 10});
  record.blocks.front().slices.front().messages = 0;
  const auto found = analyse(record);
  BOOST_TEST(row_of(found, "c1/64", "fibers/epoll").ratio.n == 9);
  BOOST_REQUIRE(found.caveats.size() == 1U);
  BOOST_TEST(contains(bench::text_of(found.caveats[0]), "no message came back in 1 block,"));
  for (auto form : every_form(record)) {
    form = without_scripts(form);
    for (auto at = form.find("nan"); at != std::string::npos; at = form.find("nan", at + 1))
      BOOST_TEST(form.substr(at, 10) == "nanosecond");
  }
}

BOOST_AUTO_TEST_CASE(a_block_that_costs_nothing_is_left_out_and_counted) {
  for (const std::optional<double> cpu_ns : {std::optional{0.0}, {-1.0}, {std::nullopt}}) {
    auto record = synthetic_run({.rounds = 10});
    record.blocks.front().slices.front().cpu_ns = cpu_ns;
    const auto found = analyse(record);
    BOOST_TEST(row_of(found, "c1/64", "fibers/epoll").ratio.n == 9);
    BOOST_REQUIRE(found.caveats.size() == 1U);
    BOOST_TEST(bench::text_of(found.caveats[0]) ==
               "fibers/epoll and asio-callback/epoll on c1/64: 1 block is left out of what CPU "
               "costs, because no CPU time was counted for a server that answered");
  }
}
