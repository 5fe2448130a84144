// Which files of a run compare can read, and the anchor against which each server is compared.
#include <bench/compare/anchored.hpp>
#include <bench/compare/compare.hpp>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

#include <tests/bench/compare/synthetic_runs.hpp>

using bench::compare_runs;

BOOST_AUTO_TEST_CASE(folder_record_and_json_report_of_a_run_compare_alike) {
  const two_runs runs{quiet(1), slower(2, 400)};
  const auto from_folders = compare_runs({runs.before(), runs.after()});
  const auto from_files =
      compare_runs({runs.before() / "report.json", runs.after() / "run.ndjson"});
  std::filesystem::remove(runs.after() / "run.ndjson");
  const auto from_what_is_left = compare_runs({runs.before(), runs.after()});
  for (const auto* other : {&from_files, &from_what_is_left}) {
    BOOST_REQUIRE(other->rows.size() == from_folders.rows.size());
    for (std::size_t i = 0; i < other->rows.size(); ++i) {
      BOOST_TEST(other->rows[i].judged.change == from_folders.rows[i].judged.change,
                 boost::test_tools::tolerance(1e-6));
      BOOST_TEST(other->rows[i].judged.words == from_folders.rows[i].judged.words);
    }
  }
}

BOOST_AUTO_TEST_CASE(without_asio_the_anchor_is_the_bare_loop) {
  const auto renamed = [](unsigned seed) {
    auto record = synthetic_run(quiet(seed));
    for (auto& block : record.blocks)
      if (block.comparison.base == "asio-callback/epoll") block.comparison.base = "mine";
    return record;
  };
  const two_runs runs{renamed(1), renamed(2)};
  const auto change = compare_runs({runs.before(), runs.after()});
  BOOST_TEST(row_of(change, "fibers/epoll").about.anchor == "floor/epoll");
  BOOST_TEST(row_of(change, "mine").about.anchor == "floor/epoll");
  BOOST_TEST(row_of(change, "fibers/select").about.anchor == "asio-callback/select");
}

BOOST_AUTO_TEST_CASE(an_unreadable_side_is_named) {
  const two_runs runs{quiet(1), quiet(2)};
  const scratch_folder folder;
  const auto complaint = [&](const std::filesystem::path& path) {
    try {
      compare_runs({runs.before(), path, runs.after()});
    } catch (const bench::unreadable_run& error) {
      return std::string{error.what()};
    }
    return std::string{};
  };
  BOOST_TEST(complaint(folder.path()) ==
             folder.path().string() + ": holds neither run.ndjson nor report.json");
  BOOST_TEST(complaint(folder / "none") ==
             (folder / "none").string() + ": No such file or directory");
  BOOST_TEST(complaint(folder / "none.json") ==
             (folder / "none.json").string() + ": No such file or directory");
  const auto foreign = folder.write("foreign.json", "{\"benchmarks\": []}");
  BOOST_TEST(complaint(foreign) == foreign.string() + ": it is no report of echobench");
  const auto newer = folder.write("newer.json", "{\"report\": \"echobench\", \"version\": 7}");
  BOOST_TEST(complaint(newer) == newer.string() + ": version is 7, and this program reads 1");
  const auto hollow = folder.write("hollow.json", "{\"report\":\"echobench\",\"version\":1}");
  BOOST_TEST(complaint(hollow) == hollow.string() + ": header is missing");
  const auto broken = folder.write("broken.json", "{\"report\":");
  BOOST_TEST(complaint(broken).starts_with(broken.string() + ": it is not JSON: "));
  const auto empty = folder.write("empty.json", "");
  BOOST_TEST(complaint(empty).starts_with(empty.string() + ": it is not JSON: "));
  std::ostringstream whole;
  whole << std::ifstream{runs.after() / "report.json"}.rdbuf();
  const auto half = folder.write("half.json", whole.str().substr(0, whole.str().size() / 2));
  BOOST_TEST(complaint(half).starts_with(half.string() + ": it is not JSON: "));
  const auto nothing = folder.write("run.ndjson", "");
  BOOST_TEST(complaint(nothing).starts_with(nothing.string() + ":0: no header"));
  const auto text = folder.write("notes.txt", "lower by far\n");
  BOOST_TEST(complaint(text) == text.string() + ":1: not a run: its first line is no JSON");
}

BOOST_AUTO_TEST_CASE(an_edited_report_with_impossible_costs_is_refused) {
  const two_runs runs{quiet(1), quiet(2)};
  for (const auto* impossible : {"0", "-1", "1e300"}) {
    std::ifstream in{runs.after() / "report.json"};
    std::string text{std::istreambuf_iterator<char>{in}, {}};
    const auto at = text.find("\"base_ns\": ");
    text.replace(at, text.find(',', at) - at, std::string{"\"base_ns\": "} + impossible);
    const scratch_folder folder;
    BOOST_CHECK_THROW(compare_runs({runs.before(), folder.write("edited.json", text)}),
                      bench::unreadable_run);
  }
}

// The blocks of latency and throughput are exclusive ones, and memory has no load.
BOOST_AUTO_TEST_CASE(throughput_latency_and_memory_are_compared_too) {
  auto later = synthetic_run({.seed = 2, .noise = 0.003, .kernel_drift = 0.01});
  for (auto& each : later.memory)
    if (each.server == "fibers/epoll") each.pss_kib *= 3;
  const two_runs runs{synthetic_run({.seed = 1, .noise = 0.003, .kernel_drift = 0.01}), later};
  const auto change = compare_runs({runs.before(), runs.after()});
  for (const auto what : {bench::quantity::cpu, bench::quantity::throughput, bench::quantity::p50})
    BOOST_TEST(rows_of(change, what) > 2U, bench::name_of(what));
  bool named = false;
  for (const auto& row : change.rows)
    if (row.about ==
        bench::subject{bench::quantity::memory, "", "fibers/epoll", "asio-callback/epoll"})
      named = row.judged.words.starts_with("higher by ");
  BOOST_TEST(named);
}

BOOST_AUTO_TEST_CASE(a_server_with_injected_cost_is_compared_with_nothing) {
  auto record = synthetic_run(quiet(1));
  const auto blocks = record.blocks;
  for (auto each : blocks) {
    if (each.control || each.comparison.contender != "fibers/epoll") continue;
    each.comparison = {"fibers/epoll", "fibers/epoll/inject1000ns", each.comparison.floor};
    record.blocks.push_back(each);
  }
  const two_runs runs{record, record};
  for (const auto& row : compare_runs({runs.before(), runs.after()}).rows)
    BOOST_TEST(row.about.server.find("inject") == std::string::npos);
}

// Fuzzing found it: what stood above the bare loop was taken for a ratio to a server without a
// name.
BOOST_AUTO_TEST_CASE(an_edited_report_that_does_not_name_its_bare_loop_is_refused) {
  const two_runs runs{quiet(1), quiet(2)};
  std::ifstream in{runs.after() / "report.json"};
  std::string text{std::istreambuf_iterator<char>{in}, {}};
  const std::string named = "\"floor\": \"floor/epoll\"";
  for (auto at = text.find(named); at != std::string::npos; at = text.find(named))
    text.replace(at, named.size(), "\"floor\": null");
  const scratch_folder folder;
  const auto edited = folder.write("edited.json", text);
  BOOST_CHECK_EXCEPTION(compare_runs({runs.before(), edited}), bench::unreadable_run,
                        [](const auto& error) {
                          return says(error.what(), ": results hold what the bare loop cost on ");
                        });
}

BOOST_AUTO_TEST_CASE(what_is_no_ratio_in_an_edited_report_is_not_compared) {
  auto found = bench::analyse(synthetic_run({.seed = 1, .noise = 0.003}));
  BOOST_REQUIRE(!found.loads.empty());
  const auto throughputs = [&] {
    std::size_t count = 0;
    for (const auto& each : bench::anchored_ratios(found))
      count += each.first.what == bench::quantity::throughput ? 1 : 0;
    return count;
  };
  const auto all = throughputs();
  for (const auto& wrong : {bench::estimate{0, bench::interval{0, 1}, 10},
                            bench::estimate{1, bench::interval{-1, 2}, 10},
                            bench::estimate{1, bench::interval{0.9, 1.1}, 1},
                            bench::estimate{1, bench::interval{1.1, 0.9}, 10},
                            bench::estimate{2, bench::interval{0.9, 1.1}, 10}}) {
    found.loads.front().throughput_ratio = wrong;
    BOOST_TEST(throughputs() == all - 1);
  }
}

// Of the memory of an edited report, too.
BOOST_AUTO_TEST_CASE(memory_that_nothing_can_have_is_not_compared) {
  auto found = bench::analyse(synthetic_run({.seed = 1, .noise = 0.003}));
  const bench::subject about{bench::quantity::memory, "", "fibers/epoll", "asio-callback/epoll"};
  BOOST_TEST(bench::anchored_ratios(found).contains(about));
  for (const double kib : {0.0, -1.0, 1e300}) {
    for (auto& row : found.memory)
      if (row.server == "fibers/epoll") row.kib_per_connection = kib;
    BOOST_TEST(!bench::anchored_ratios(found).contains(about));
  }
}

BOOST_AUTO_TEST_CASE(correlated_blocks_have_the_larger_error_that_they_have_in_their_run) {
  auto found = bench::analyse(synthetic_run(quiet(1)));
  found.autocorrelation = 0;
  const auto apart = bench::anchored_ratios(found);
  found.autocorrelation = 0.6;  // widens by sqrt(1.6 / 0.4)
  const auto alike = bench::anchored_ratios(found);
  int rows = 0;
  for (const auto& [about, values] : apart) {
    if (about.what != bench::quantity::cpu) continue;
    ++rows;
    BOOST_TEST(alike.at(about).standard_error == 2 * values.standard_error,
               boost::test_tools::tolerance(1e-9));
  }
  BOOST_TEST(rows == 6);
}
