// What echobench does when a file may not grow, as on a full disk.
#include <sys/resource.h>

#include <bench/record/record.hpp>
#include <boost/test/unit_test.hpp>
#include <set>

#include <tests/bench/command/echobench.hpp>

BOOST_FIXTURE_TEST_CASE(a_disk_that_fills_loses_nothing_measured, echobench,
                        *boost::unit_test::label("long")) {
  auto one_round = shortest;
  one_round[10] = "one";
  one_round.insert(one_round.end(), {"--seed", "1"});
  run(one_round);
  auto longer = one_round;
  longer[4] = "3";
  longer[10] = "run";
  rlimit roomy{};
  getrlimit(RLIMIT_FSIZE, &roomy);
  // The limit is the size of a run of one round. The first block fits, three rounds do not.
  const rlimit full{fs::file_size(folder / "one" / "run.ndjson"), roomy.rlim_max};
  setrlimit(RLIMIT_FSIZE, &full);
  const auto ended = run(longer);
  setrlimit(RLIMIT_FSIZE, &roomy);
  BOOST_TEST(ended.exit_code == 3);
  BOOST_TEST(holds(ended.err, "cannot write run/run.ndjson: File too large"), ended.err);
  BOOST_TEST(holds(ended.err, "--resume run goes on"), ended.err);
  const auto kept = bench::read_run(folder / "run" / "run.ndjson").blocks.size();
  BOOST_TEST(kept > 0U);
  BOOST_TEST(run({"run", "--resume", "run"}).exit_code == 0);
  BOOST_TEST(bench::read_run(folder / "run" / "run.ndjson").blocks.size() == 9U);
}

// Each file of the reports is once the one that does not fit.
BOOST_FIXTURE_TEST_CASE(a_report_that_does_not_fit_is_named_and_leaves_no_half_behind, echobench) {
  run(shortest);
  std::set<std::uintmax_t> sizes;
  for (const auto& file : fs::directory_iterator{folder / "run"}) {
    if (file.is_directory() || file.path().filename() == "run.ndjson") continue;
    // With a lower limit the words on standard error would not fit either.
    if (file.file_size() > 200) sizes.insert(file.file_size());
  }
  BOOST_REQUIRE(sizes.size() > 3U);
  rlimit roomy{};
  getrlimit(RLIMIT_FSIZE, &roomy);
  for (const auto size : sizes) {
    const rlimit full{size - 1, roomy.rlim_max};
    setrlimit(RLIMIT_FSIZE, &full);
    const auto ended = run({"report", "run"});
    setrlimit(RLIMIT_FSIZE, &roomy);
    BOOST_TEST(ended.exit_code == 3);
    BOOST_TEST(lines_in(ended.err) == 1, ended.err);
    BOOST_TEST(holds(ended.err, "File too large"), ended.err);
    for (const auto& file : fs::directory_iterator{folder / "run"})
      BOOST_TEST(file.path().extension() != ".unfinished");
  }
  BOOST_TEST(run({"report", "run"}).exit_code == 0);
}
