// Throughput and latency are results only if the server limits them, not the client.
#include <bench/analysis/analysis.hpp>

#include <boost/test/unit_test.hpp>

#include <tests/bench/report/every_form.hpp>
#include <tests/bench/synthetic_run.hpp>

using bench::analyse;

BOOST_AUTO_TEST_CASE(throughput_has_a_verdict_or_the_reason_why_not) {
  const auto words_of = [](const bench::run_record& record) {
    return analyse(record).loads.front().throughput_verdict.value().words;
  };
  const auto faster = analyse(synthetic_run({.exclusive_noise = 0.003})).loads.front();
  BOOST_TEST((faster.throughput_verdict->what == bench::finding::higher));
  BOOST_TEST(faster.throughput_p.value() <= 0.05);
  BOOST_TEST(words_of(synthetic_run({.utilisation = 0.97})) == "n/a: the client was the limit");
  auto record = synthetic_run();
  record.header.machine.cpus = 1;
  BOOST_TEST(words_of(record) == "n/a: client and servers shared a CPU");
  BOOST_TEST(words_of(every_caveat()) == "n/a: the run is void");
}

BOOST_AUTO_TEST_CASE(latency_has_a_verdict_or_the_reason_why_not) {
  const auto closed = [](const bench::run_record& record) {
    return analyse(record).loads.front().p50.value();
  };
  const auto sooner = closed(synthetic_run({.exclusive_noise = 0.003}));
  BOOST_TEST(sooner.ratio.value < 1);
  BOOST_TEST((sooner.verdict.what == bench::finding::lower), sooner.verdict.words);
  BOOST_TEST(sooner.p_in_run.value() <= 0.05);
  const auto limited = closed(synthetic_run({.utilisation = 0.97}));
  BOOST_TEST(limited.verdict.words == "n/a: the client was the limit");
  BOOST_TEST(limited.ratio.n == 0);
  auto record = synthetic_run();
  BOOST_TEST(analyse(record).open_loops.front().p50->ratio.n == 10);
  for (auto& each : record.blocks)
    for (auto& timed : each.slices)
      if (timed.launch == 1 && timed.open_loop) timed.open_loop->due = 2 * timed.messages;
  BOOST_TEST(analyse(record).open_loops.front().p50->verdict.words ==
             "n/a: fibers/epoll is saturated");
  BOOST_TEST((analyse(record).loads.front().p50->verdict.what != bench::finding::unmeasured));
}

BOOST_AUTO_TEST_CASE(one_processor_has_no_throughput_ratio) {
  auto record = synthetic_run();
  BOOST_TEST(analyse(record).loads.front().throughput_ratio.n > 0);
  record.header.machine.cpus = 1;
  for (const auto& row : analyse(record).loads) BOOST_TEST(row.throughput_ratio.n == 0);
}

BOOST_AUTO_TEST_CASE(who_comes_near_a_bare_loop_that_waits_for_the_client_waits_for_it_too) {
  auto record = synthetic_run();
  const auto measured = record.blocks;
  for (auto block : measured) {
    if (block.kind != bench::block_kind::exclusive || block.scenario.connections != 64) continue;
    if (block.comparison.base != "asio-callback/epoll") continue;
    block.comparison.base = "floor/epoll";
    for (auto& each : block.slices)
      if (each.launch == 0) each.client_utilisation = 0.97;
    record.blocks.push_back(block);
  }
  for (const auto& row : analyse(record).loads) {
    // With this load, every contender has at least 90 % of the bare loop's throughput.
    const bool limited = row.scenario.connections == 64;
    BOOST_TEST(row.contender.client_limited == limited, row.scenario.text() << row.comparison.base);
  }
}

BOOST_AUTO_TEST_CASE(an_open_loop_is_a_row_of_its_own_that_tells_response_from_service) {
  const auto record = synthetic_run();
  const auto found = analyse(record);
  BOOST_REQUIRE(found.open_loops.size() == 1U);
  const auto& row = found.open_loops.front();
  BOOST_TEST(row.rate_per_second.value == 20'000, boost::test_tools::tolerance(1e-9));
  BOOST_TEST(!row.contender.saturated);
  BOOST_TEST(row.contender.answered == 1.0);
  BOOST_TEST(row.contender.response_p50_us.n == 10);
  BOOST_TEST(row.contender.response_p50_us.value > row.contender.service_p50_us.value + 8);
  BOOST_TEST(row.contender.late_p99_us.value == 3.0, boost::test_tools::tolerance(1e-9));
  for (const auto& cost : found.costs) BOOST_TEST(!cost.scenario.open_loop());
  for (const auto& load : found.loads) BOOST_TEST(!load.scenario.open_loop());
  const auto forms = every_form(record);
  BOOST_TEST(contains(forms[1], "response_p99_open_loop"));
  BOOST_TEST(contains(forms[1], "service_p99_open_loop"));
  BOOST_TEST(contains(forms[2], "Loaded alone, open loop"));
  BOOST_TEST(contains(forms[3], "Latency by percentile, open loop"));
  BOOST_TEST(contains(forms[4], "Loaded alone, open loop"));
}

BOOST_AUTO_TEST_CASE(a_server_that_does_not_keep_up_is_called_saturated_and_gets_no_numbers) {
  const auto record = synthetic_run({.answered = 0.97});
  const auto found = analyse(record);
  for (const auto* side : {&found.open_loops.front().base, &found.open_loops.front().contender}) {
    BOOST_TEST(side->saturated);
    BOOST_TEST(side->response_p99_us.n == 0);
    BOOST_TEST(side->service_p50_us.n == 0);
  }
  for (const auto& form : every_form(record)) BOOST_TEST(contains(form, "saturated"));
  BOOST_TEST(!contains(every_form(record)[1], "response_p99_open_loop"));
}

BOOST_AUTO_TEST_CASE(of_many_processors_one_that_is_allowed_has_no_throughput_ratio_either) {
  auto record = synthetic_run();
  record.caveats_found.push_back(bench::caveats::one_cpu{});
  for (const auto& row : analyse(record).loads) BOOST_TEST(row.throughput_ratio.n == 0);
}
