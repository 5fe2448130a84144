// Which kind of block decides a verdict, and with which noise the verdict is compared.
#include <bench/analysis/analysis.hpp>

#include <boost/test/unit_test.hpp>

#include <tests/bench/analysis/cost_row_of.hpp>
#include <tests/bench/report/every_form.hpp>
#include <tests/bench/synthetic_run.hpp>

using bench::analyse;
using bench::finding;

BOOST_AUTO_TEST_CASE(rows_of_exclusive_blocks_are_judged_by_a_control_of_such_blocks) {
  auto record = synthetic_run({.exclusive_noise = 0.1});
  const auto measured = record.blocks;
  for (auto block : measured) {
    if (block.kind != bench::block_kind::exclusive || block.scenario.connections != 64) continue;
    if (block.comparison.base != "asio-callback/epoll") continue;
    block.control = true;
    block.comparison.contender = block.comparison.base;
    record.blocks.push_back(block);
  }
  const auto found = bench::analyse(record);
  BOOST_TEST(found.controls.size() == 2U);
  BOOST_REQUIRE(found.noise_alone.has_value());
  BOOST_TEST(found.noise_alone->spread > found.noise->spread);
  BOOST_TEST(found.margin_alone > found.margin);
  BOOST_TEST(bench::analyse(synthetic_run()).margin_alone ==
             bench::analyse(synthetic_run()).margin);
}

BOOST_AUTO_TEST_CASE(at_noise_grade_d_no_row_is_called_equivalent) {
  synthetic_truth truth{.noise = 0.002, .control_swing = 0.15};
  truth.library_ns["fibers/epoll"] = truth.library_ns["asio-callback/epoll"];
  const auto found = analyse(synthetic_run(truth));
  BOOST_REQUIRE(found.noise.has_value());
  BOOST_TEST(found.noise->grade == 'D');
  for (const auto& row : found.costs) BOOST_TEST(row.verdict.what != finding::equivalent);
  truth.control_swing = 0.05;
  const auto quieter = analyse(synthetic_run(truth));
  BOOST_TEST(row_of(quieter, "c64/512", "fibers/epoll").verdict.what == finding::equivalent);
}

BOOST_AUTO_TEST_CASE(servers_that_never_shared_a_block_are_decided_by_exclusive_ones) {
  auto record = synthetic_run({.exclusive_noise = 0.01});
  std::erase_if(record.blocks, [](const auto& block) {
    return block.kind == bench::block_kind::duet && !block.control;
  });
  const auto found = analyse(record);
  const auto& row = row_of(found, "c64/512", "fibers/select");
  BOOST_TEST((row.decided_by == bench::block_kind::exclusive));
  BOOST_TEST(row.verdict.what == finding::lower);
  BOOST_TEST(row.ratio.value == row.exclusive_ratio.value);
  BOOST_TEST(contains(every_form(record)[4], "from exclusive blocks"));
}

BOOST_AUTO_TEST_CASE(conflicting_block_kinds_give_no_verdict) {
  auto record = synthetic_run({.noise = 0.002, .exclusive_noise = 0.002});
  for (auto& block : record.blocks)
    for (auto& slice : block.slices)
      if (block.kind == bench::block_kind::exclusive && slice.launch == 1) *slice.cpu_ns *= 1.5;
  const auto found = analyse(record);
  BOOST_TEST(row_of(found, "c64/512", "fibers/epoll").verdict.what == finding::conflict);
  for (const auto& form : every_form(record)) BOOST_TEST(contains(form, "conflict"));
}
