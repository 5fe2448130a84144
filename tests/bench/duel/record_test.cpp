// A duel can be saved and analysed like a run.
#include <bench/analysis/analysis.hpp>
#include <bench/duel/record.hpp>

#include <boost/test/unit_test.hpp>
#include <exception>

#include <tests/bench/duel/some_duel.hpp>
#include <tests/scratch_folder.hpp>

using bench::scenario;

BOOST_AUTO_TEST_CASE(a_duel_is_saved_as_a_run_with_its_reports) {
  auto match = some_duel(8);
  match.change_load(scenario::parse("c128/512"));
  play(match, 6, 1.1);
  match.change_load(scenario::parse("c256/512"));  // no round of it is complete
  bench::run_header header;
  header.started_utc = "2026-01-31T12:34:56Z";
  header.machine.cpus = 2;
  const scratch_folder folder;
  bench::write_run(bench::record_of(match, header, {}), folder / "run");
  const auto record = bench::read_run(folder / "run" / "run.ndjson");
  BOOST_TEST(record.header.suite == "duel");
  BOOST_TEST(record.header.watched.value());
  BOOST_TEST(record.header.scenarios.size() == 2U);
  BOOST_TEST(record.blocks.size() == 14U);
  BOOST_TEST(record.memory.size() == 6U);
  const auto report = folder.read("run/report.md");
  BOOST_TEST(holds(report, "lower by "), report);
  BOOST_TEST(holds(report, "higher by "), report);
  BOOST_CHECK_THROW(bench::write_run(record, folder / "run"), std::exception);
}

BOOST_AUTO_TEST_CASE(a_duel_at_a_rate_says_in_its_report_what_it_says_itself) {
  const bench::comparison both{"asio-callback/epoll", "fibers/epoll", std::nullopt};
  for (const std::int64_t due : {4000, 5000}) {
    bench::duel match{both, scenario::parse("c64/512/r42k")};
    play(match, 20, 0.9);
    for (auto& round : match.score().rounds)
      for (auto& each : round.slices)
        if (each.launch == bench::base_launch) each.open_loop = bench::open_loop_times{.due = due};
    bench::run_header header;
    header.started_utc = "2026-01-31T12:34:56Z";
    const scratch_folder folder;
    bench::write_run(bench::record_of(match, header, {}), folder / "run");
    const auto said =
        due == 4000 ? "lower by " : "asio-callback/epoll is saturated, it answered 80.0 %";
    BOOST_TEST(holds(match.score().verdict(), said), match.score().verdict());
    const auto report = folder.read("run/report.md");
    BOOST_TEST(holds(report, said), report);
  }
}

BOOST_AUTO_TEST_CASE(who_disturbs_the_other_has_no_verdict_in_a_duel_and_none_in_its_report) {
  bench::duel match{{"fibers/io_uring", "fibers/epoll", std::nullopt}, scenario::parse("c64/512")};
  play(match, 20, 0.5);
  BOOST_TEST(match.score().verdict().starts_with("n/a: fibers/epoll and fibers/io_uring "),
             match.score().verdict());
  const auto found = bench::analyse(bench::record_of(match, {}, {}));
  BOOST_CHECK(found.costs.front().verdict.what == bench::finding::unmeasured);
  BOOST_CHECK(bench::analyse(bench::record_of(some_duel(), {}, {})).costs.front().verdict.what ==
              bench::finding::lower);
}
