// Two runs compared: what became dearer is found, what wandered with the machine is not.
#include <bench/command/commands.hpp>
#include <bench/compare/compare.hpp>
#include <bench/text/failure.hpp>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <regex>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <tests/bench/synthetic_run.hpp>
#include <tests/scratch_folder.hpp>

namespace bench {
std::ostream& operator<<(std::ostream& out, gate_result result) {
  return out << static_cast<int>(result);
}
}  // namespace bench

namespace {

using bench::compare_runs;
using bench::gate_result;

// Run folders in a scratch folder, made from truths, oldest first.
class history_of_runs {
 public:
  explicit history_of_runs(const std::vector<bench::run_record>& records) {
    for (const auto& record : records) {
      paths.push_back(folder_ / std::to_string(paths.size() + 1));
      std::filesystem::create_directory(paths.back());
      folder_.write(paths.back().filename().string() + "/run.ndjson", ndjson_of(record));
    }
  }

  std::vector<std::filesystem::path> paths;

 private:
  scratch_folder folder_;
};

// Two run folders in a scratch folder, made from two truths.
class two_runs {
 public:
  two_runs(const synthetic_truth& before, const synthetic_truth& after)
      : two_runs(synthetic_run(before), synthetic_run(after)) {}
  two_runs(const bench::run_record& before, const bench::run_record& after) {
    write("before", before);
    write("after", after);
  }
  std::filesystem::path before() const { return folder_ / "before"; }
  std::filesystem::path after() const { return folder_ / "after"; }

 private:
  void write(const std::string& name, const bench::run_record& record) {
    std::filesystem::create_directory(folder_ / name);
    folder_.write(name + "/run.ndjson", ndjson_of(record));
    bench::write_reports(record, folder_ / name);
  }

  scratch_folder folder_;
};

synthetic_truth quiet(unsigned seed) {
  return {.seed = seed, .noise = 0.003, .latencies = false, .kernel_drift = 0.01};
}

synthetic_truth dearer(unsigned seed, double by_ns) {
  auto truth = quiet(seed);
  truth.library_ns["fibers/epoll"] += by_ns;
  return truth;
}

const bench::change_row& row_of(const bench::run_comparison& change, std::string_view server,
                                std::string_view scenario = "c64/512") {
  for (const auto& row : change.rows)
    if (row.server == server && row.scenario == scenario) return row;
  throw std::logic_error{"no such row: " + std::string{server}};
}

const bench::history_row& history_row_of(const bench::run_comparison& change,
                                         std::string_view server) {
  for (const auto& row : change.history)
    if (row.about.server == server && row.about.scenario == "c64/512") return row;
  throw std::logic_error{"no such row: " + std::string{server}};
}

// Where it changed, one letter a run.
std::string marks_of(const bench::history_row& row) {
  std::string marks;
  for (const auto& each : row.points) marks += !each ? '-' : each->changed ? '*' : '.';
  return marks;
}

bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_same_truth_on_two_days_passes_a_gate) {
  auto other_day = quiet(2);
  other_day.kernel_drift = 0.03;
  const two_runs runs{quiet(1), other_day};
  const auto change = compare_runs({runs.before(), runs.after()}, 0.03);
  BOOST_TEST(change.rows.size() == 6U);
  BOOST_TEST(change.result == gate_result::passed);
  BOOST_TEST(change.exit_code() == 0);
}

BOOST_AUTO_TEST_CASE(a_regression_fails_the_gate_and_names_the_server) {
  const two_runs runs{quiet(1), dearer(2, 400)};
  const auto change = compare_runs({runs.before(), runs.after()}, 0.03);
  BOOST_TEST(change.result == gate_result::failed);
  BOOST_TEST(change.exit_code() == 1);
  const auto& row = row_of(change, "fibers/epoll");
  BOOST_TEST(row.gate == gate_result::failed);
  BOOST_TEST(row.anchor == "asio-callback/epoll");
  BOOST_TEST(row.words.starts_with("dearer by "));
  BOOST_TEST(row_of(change, "fibers/select").gate == gate_result::passed);
}

BOOST_AUTO_TEST_CASE(without_a_gate_nothing_fails) {
  const two_runs runs{quiet(1), dearer(2, 400)};
  const auto change = compare_runs({runs.before(), runs.after()});
  BOOST_TEST(change.result == gate_result::none);
  BOOST_TEST(change.exit_code() == 0);
}

BOOST_AUTO_TEST_CASE(an_improvement_passes_a_gate) {
  const two_runs runs{dearer(1, 400), quiet(2)};
  const auto change = compare_runs({runs.before(), runs.after()}, 0.03);
  BOOST_TEST(change.exit_code() == 0);
  BOOST_TEST(row_of(change, "fibers/epoll").words.starts_with("cheaper by "));
}

BOOST_AUTO_TEST_CASE(wide_intervals_are_inconclusive_under_a_gate) {
  const two_runs runs{{.rounds = 6, .seed = 1, .noise = 0.05, .control = false},
                      {.rounds = 6, .seed = 2, .noise = 0.05, .control = false}};
  const auto change = compare_runs({runs.before(), runs.after()}, 0.005);
  BOOST_TEST(change.result == gate_result::inconclusive);
  BOOST_TEST(change.exit_code() == 4);
  BOOST_TEST(
      row_of(change, "fibers/epoll").words.starts_with("no change shown: the truth lies in ["));
}

BOOST_AUTO_TEST_CASE(a_machine_of_noise_grade_d_refuses_a_gate) {
  const two_runs runs{quiet(1), {.seed = 2, .noise = 0.2}};
  const auto change = compare_runs({runs.before(), runs.after()}, 0.03);
  BOOST_TEST(change.exit_code() == 4);
  BOOST_TEST(bench::comparison_text(change, {}).find("noise grade D, too noisy for a gate") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(noise_grade_d_refuses_a_gate_on_either_side_even_where_it_would_fail) {
  const synthetic_truth noisy{.seed = 2, .noise = 0.2};
  const two_runs runs{noisy, dearer(1, 4000)};
  const auto change = compare_runs({runs.before(), runs.after()}, 0.03);
  BOOST_TEST(row_of(change, "fibers/epoll").gate == gate_result::failed);
  BOOST_TEST(change.exit_code() == 4);
}

BOOST_AUTO_TEST_CASE(a_p_that_only_one_look_would_believe_fails_no_gate) {
  auto later = dearer(10, 140);
  auto before = quiet(9);
  before.noise = later.noise = 0.02;
  before.rounds = later.rounds = 6;
  before.control = later.control = false;
  const two_runs runs{before, later};
  const auto change = compare_runs({runs.before(), runs.after()}, 0.005);
  const auto& row = row_of(change, "fibers/epoll");
  BOOST_TEST_MESSAGE("p " << row.p << ", corrected " << row.holm_p << ", change " << row.change);
  BOOST_TEST(row.p < 0.05);
  BOOST_TEST(row.holm_p >= 0.05);
  BOOST_TEST(row.words.find("not significant after Holm") != std::string::npos, row.words);
  BOOST_TEST(row.change > 0.005);
  BOOST_TEST(row.gate == gate_result::inconclusive);
  BOOST_TEST(change.exit_code() == 4);
}

BOOST_AUTO_TEST_CASE(what_fails_a_gate_lies_above_it_with_its_whole_interval) {
  const auto only_row = [](const synthetic_truth& truth) {
    auto record = synthetic_run(truth);
    std::erase_if(record.blocks, [](const bench::block& each) {
      return each.kind != bench::block_kind::duet || each.control ||
             each.scenario.text() != "c64/512" || each.comparison.base != "asio-callback/epoll";
    });
    return record;
  };
  int failed = 0;
  int contained = 0;
  for (double by_ns = 100; by_ns <= 220; by_ns += 5) {
    auto before = quiet(1), later = dearer(2, by_ns);
    before.noise = later.noise = 0.01;
    const history_of_runs runs{{only_row(before), only_row(later)}};
    const auto change = compare_runs(runs.paths, 0.03);
    BOOST_REQUIRE(change.rows.size() == 1U);
    const auto& row = change.rows.front();
    const bool above = row.range.low > 0.03;
    (above ? failed : contained) += 1;
    BOOST_TEST((row.gate == gate_result::failed) == above, by_ns << " ns: " << row.words);
  }
  BOOST_TEST(failed > 2);
  BOOST_TEST(contained > 2);
}

BOOST_AUTO_TEST_CASE(what_the_last_run_did_not_measure_passes_no_gate) {
  auto fewer = quiet(2);
  fewer.select_too = false;
  const two_runs runs{quiet(1), fewer};
  const auto change = compare_runs({runs.before(), runs.after()}, 0.03);
  BOOST_TEST(change.exit_code() == 4);
  BOOST_REQUIRE(change.gate_caveats.size() == 1U);
  BOOST_TEST(change.gate_caveats.front() ==
             "these rows of the first run are missing in the last or have fewer than two blocks: "
             "fibers/select on c1/64 against asio-callback/select, fibers/select on c256/64 "
             "against asio-callback/select, fibers/select on c64/512 against "
             "asio-callback/select");
  BOOST_TEST(says(bench::comparison_text(change, {}), "- these rows of the first run are missing"));
  BOOST_TEST(says(bench::comparison_markdown(change), "- these rows of the first run are missing"));
  BOOST_TEST(compare_runs({runs.after(), runs.before()}, 0.03).exit_code() == 0);
}

BOOST_AUTO_TEST_CASE(one_block_in_the_last_run_passes_no_gate) {
  auto shortened = synthetic_run(quiet(2));
  std::erase_if(shortened.blocks, [](const bench::block& each) {
    return each.round > 0 && each.scenario.text() == "c1/64" &&
           each.comparison.base == "asio-callback/select";
  });
  const two_runs runs{synthetic_run(quiet(1)), shortened};
  const auto change = compare_runs({runs.before(), runs.after()}, 0.03);
  BOOST_TEST(change.exit_code() == 4);
  BOOST_REQUIRE(change.gate_caveats.size() == 1U);
  BOOST_TEST(says(change.gate_caveats.front(), "two blocks: fibers/select on c1/64 against"));
}

BOOST_AUTO_TEST_CASE(a_failure_stands_whatever_else_is_missing) {
  auto fewer = dearer(2, 400);
  fewer.select_too = false;
  const two_runs runs{quiet(1), fewer};
  BOOST_TEST(compare_runs({runs.before(), runs.after()}, 0.03).exit_code() == 1);
}

BOOST_AUTO_TEST_CASE(a_debug_build_on_either_side_neither_passes_nor_fails_a_gate) {
  for (const double by_ns : {0.0, 400.0})
    for (const bool first : {true, false}) {
      auto before = synthetic_run(quiet(1)), later = synthetic_run(dearer(2, by_ns));
      (first ? before : later).caveats_found.push_back(bench::caveats::debug_build{"fibers/epoll"});
      const two_runs runs{before, later};
      const auto change = compare_runs({runs.before(), runs.after()}, 0.03);
      BOOST_TEST(change.exit_code() == 4);
      BOOST_REQUIRE(change.gate_caveats.size() == 1U);
      BOOST_TEST(change.gate_caveats.front() ==
                 (first ? runs.before() : runs.after()).string() +
                     ": fibers/epoll is a debug or sanitizer build: its numbers mean nothing");
    }
}

BOOST_AUTO_TEST_CASE(a_margin_that_noise_widened_leaves_nothing_unchanged_that_shows_a_change) {
  const auto words = [](double swing, double by_ns) {
    auto before = quiet(1), later = dearer(2, by_ns);
    before.control_swing = later.control_swing = swing;
    const two_runs runs{before, later};
    return row_of(compare_runs({runs.before(), runs.after()}), "fibers/epoll").words;
  };
  BOOST_TEST(words(0.05, 80).starts_with("tiny difference, below the margin of 2."));
  BOOST_TEST(words(0.05, 0).starts_with("unchanged (within 2."));
  BOOST_TEST(words(0.15, 0).starts_with("no change shown: the truth lies in ["));
}

BOOST_AUTO_TEST_CASE(an_empty_gate_or_run_is_refused_by_its_name) {
  const two_runs runs{quiet(1), dearer(2, 400)};
  const auto before = runs.before().string(), after = runs.after().string();
  const auto names = [](const std::string& what) {
    return [=](const std::exception& error) { return says(error.what(), what); };
  };
  BOOST_CHECK_EXCEPTION(bench::compare_command({before, after, "--gate", ""}), bench::usage_error,
                        names("--gate ''"));
  BOOST_CHECK_EXCEPTION(bench::compare_command({before, after, "--gate="}), bench::usage_error,
                        names("--gate"));
  BOOST_CHECK_EXCEPTION(bench::compare_command({"", after}), bench::usage_error,
                        names("'' is no run"));
  BOOST_CHECK_EXCEPTION(bench::compare_command({before, ""}), bench::usage_error,
                        names("'' is no run"));
}

BOOST_AUTO_TEST_CASE(the_change_and_its_interval_are_those_of_what_was_planted) {
  const two_runs runs{quiet(1), dearer(2, 400)};
  const auto change = compare_runs({runs.before(), runs.after()});
  const auto& row = row_of(change, "fibers/epoll");
  const double kernel_ns = 4000 + 3000.0 / 64 + 512 * 0.12;
  const double planted = (kernel_ns + 455) / (kernel_ns + 55) - 1;
  BOOST_TEST(!row.range.excludes(planted));
  BOOST_TEST(row.range.half_width() < 0.01);
}

BOOST_AUTO_TEST_CASE(a_history_marks_the_run_in_which_it_changed) {
  const history_of_runs runs{{synthetic_run(quiet(1)), synthetic_run(quiet(2)),
                              synthetic_run(dearer(3, 400)), synthetic_run(dearer(4, 400))}};
  const auto change = compare_runs(runs.paths, 0.03);
  BOOST_TEST(marks_of(history_row_of(change, "fibers/epoll")) == "..*.");
  BOOST_TEST(marks_of(history_row_of(change, "fibers/select")) == "....");
  BOOST_TEST(history_row_of(change, "fibers/epoll").points[3]->ratio ==
                 row_of(change, "fibers/epoll").ratio_after,
             boost::test_tools::tolerance(1e-12));
  BOOST_TEST(change.exit_code() == 1);
  const auto text = bench::comparison_text(change, {});
  BOOST_TEST(std::regex_search(
      text, std::regex{"\nc64/512 +fibers/epoll +0\\.\\d+ +0\\.\\d+ +0\\.\\d+\\* +0\\.\\d+\n"}));
  BOOST_TEST(says(text, "Gate 3.0 %, the first run against the last: FAILED"));
  const two_runs two{quiet(1), quiet(2)};
  BOOST_TEST(compare_runs({two.before(), two.after()}).history.empty());
}

BOOST_AUTO_TEST_CASE(a_gate_over_many_runs_is_the_first_against_the_last) {
  const history_of_runs runs{
      {synthetic_run(quiet(1)), synthetic_run(dearer(2, 400)), synthetic_run(quiet(3))}};
  const auto change = compare_runs(runs.paths, 0.03);
  BOOST_TEST(change.exit_code() == 0);
  BOOST_TEST(marks_of(history_row_of(change, "fibers/epoll")) == ".**");
}

BOOST_AUTO_TEST_CASE(a_change_within_the_margin_is_not_marked_however_sure) {
  auto steady = quiet(1), later = dearer(2, 30), last = quiet(3);  // 0.7 %
  for (auto* each : {&steady, &later, &last}) each->noise = 0.0003, each->rounds = 20;
  const history_of_runs runs{{synthetic_run(steady), synthetic_run(later), synthetic_run(last)}};
  BOOST_TEST(marks_of(history_row_of(compare_runs(runs.paths), "fibers/epoll")) == "...");
  const auto step = compare_runs({runs.paths[0], runs.paths[1]});
  BOOST_TEST(row_of(step, "fibers/epoll").holm_p < 1e-6);
}

BOOST_AUTO_TEST_CASE(what_a_run_did_not_measure_is_a_gap_and_the_next_is_held_to_the_one_before) {
  auto fewer = quiet(2), later = quiet(3);
  fewer.select_too = false;
  later.library_ns["fibers/select"] += 600;
  const history_of_runs runs{{synthetic_run(quiet(1)), synthetic_run(fewer), synthetic_run(later)}};
  const auto change = compare_runs(runs.paths);
  BOOST_TEST(marks_of(history_row_of(change, "fibers/select")) == ".-*");
  BOOST_TEST(says(bench::comparison_markdown(change), " | - | "));
}

BOOST_AUTO_TEST_CASE(another_machine_on_the_way_is_noted) {
  auto elsewhere = synthetic_run(quiet(2));
  elsewhere.header.machine.cpu_model = "Another CPU";
  const history_of_runs runs{{synthetic_run(quiet(1)), elsewhere, synthetic_run(quiet(3))}};
  const auto change = compare_runs(runs.paths);
  BOOST_TEST(change.machine_differences.empty());
  BOOST_REQUIRE(change.notes.size() == 1U);
  BOOST_TEST(change.notes[0] == runs.paths[1].string() + ": another machine or build than " +
                                    runs.paths[0].string() +
                                    ": cpu_model: \"Imaginary CPU 3000\" -> \"Another CPU\"");
}

BOOST_AUTO_TEST_CASE(the_markdown_has_a_column_a_run_and_says_what_the_gate_said) {
  const history_of_runs runs{
      {synthetic_run(quiet(1)), synthetic_run(quiet(2)), synthetic_run(dearer(3, 400))}};
  const auto text = bench::comparison_markdown(compare_runs(runs.paths, 0.03));
  BOOST_TEST(says(text, "| scenario | server | anchor | run 1 | run 2 | run 3 | first to last, %"));
  BOOST_TEST(says(text, "Gate 3.0 %, the first run against the last: **failed**."));
  BOOST_TEST(says(text, " \\* | +"));
  BOOST_TEST(says(text, "| dearer by "));
  std::size_t rows = 0;
  std::istringstream in{text};
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with('|')) continue;
    ++rows;
    BOOST_TEST(std::count(line.begin(), line.end(), '|') == 10);
  }
  BOOST_TEST(rows == 2U + 6);
}

BOOST_AUTO_TEST_CASE(a_void_run_is_compared_with_nothing) {
  auto wrong = synthetic_run(quiet(2));
  wrong.caveats_found.push_back(bench::caveats::run_void{"mine: wrong reply"});
  const history_of_runs runs{{synthetic_run(quiet(1)), wrong, synthetic_run(quiet(3))}};
  BOOST_CHECK_EXCEPTION(
      compare_runs(runs.paths), bench::nothing_to_compare,
      [&](const auto& error) { return says(error.what(), runs.paths[1].string() + ": "); });
}

BOOST_AUTO_TEST_CASE(folder_record_and_json_report_of_a_run_compare_alike) {
  const two_runs runs{quiet(1), dearer(2, 400)};
  const auto from_folders = compare_runs({runs.before(), runs.after()});
  const auto from_files =
      compare_runs({runs.before() / "report.json", runs.after() / "run.ndjson"});
  std::filesystem::remove(runs.after() / "run.ndjson");
  const auto from_what_is_left = compare_runs({runs.before(), runs.after()});
  for (const auto* other : {&from_files, &from_what_is_left}) {
    BOOST_REQUIRE(other->rows.size() == from_folders.rows.size());
    for (std::size_t i = 0; i < other->rows.size(); ++i) {
      BOOST_TEST(other->rows[i].change == from_folders.rows[i].change,
                 boost::test_tools::tolerance(1e-6));
      BOOST_TEST(other->rows[i].words == from_folders.rows[i].words);
    }
  }
}

BOOST_AUTO_TEST_CASE(another_machine_makes_raw_numbers_not_comparable_but_not_the_ratios) {
  auto other = synthetic_run(quiet(2));
  other.header.machine.kernel = "6.12";
  const two_runs runs{synthetic_run(quiet(1)), other};
  const auto change = compare_runs({runs.before(), runs.after()});
  BOOST_REQUIRE(change.machine_differences.size() == 1U);
  BOOST_TEST(change.machine_differences[0] == "kernel: \"6.1.0-imaginary\" -> \"6.12\"");
  BOOST_TEST(bench::comparison_text(change, {}).find("NOT comparable") != std::string::npos);
  BOOST_TEST(change.rows.size() == 6U);
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
  BOOST_TEST(row_of(change, "fibers/epoll").anchor == "floor/epoll");
  BOOST_TEST(row_of(change, "mine").anchor == "floor/epoll");
  BOOST_TEST(row_of(change, "fibers/select").anchor == "asio-callback/select");
}

BOOST_AUTO_TEST_CASE(holms_correction_is_stricter_than_one_test_and_keeps_the_order) {
  const two_runs runs{quiet(1), quiet(2)};
  const auto change = compare_runs({runs.before(), runs.after()});
  double smallest = 1, smallest_corrected = 1;
  for (const auto& row : change.rows) {
    BOOST_TEST(row.holm_p >= row.p);
    BOOST_TEST(row.holm_p <= 1);
    smallest = std::min(smallest, row.p);
    smallest_corrected = std::min(smallest_corrected, row.holm_p);
  }
  BOOST_TEST(smallest_corrected == std::min(1.0, 6 * smallest), boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_CASE(what_only_one_run_has_is_noted_and_left_out) {
  auto fewer = quiet(2);
  fewer.select_too = false;
  const two_runs runs{quiet(1), fewer};
  const auto change = compare_runs({runs.before(), runs.after()});
  BOOST_TEST(change.rows.size() == 3U);
  BOOST_TEST(change.notes.size() == 3U);
  BOOST_TEST(change.notes[0] ==
             "fibers/select on c1/64 against asio-callback/select: only in the first run");
}

BOOST_AUTO_TEST_CASE(runs_with_nothing_in_common_cannot_be_compared) {
  const two_runs runs{quiet(1), {.rounds = 0}};
  BOOST_CHECK_THROW(compare_runs({runs.before(), runs.after()}), bench::nothing_to_compare);
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
  const auto text = folder.write("notes.txt", "cheaper by far\n");
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

BOOST_AUTO_TEST_CASE(a_change_that_is_certain_but_perhaps_below_the_gate_does_not_fail_it) {
  auto later = dearer(10, 220);
  auto before = quiet(9);
  before.noise = later.noise = 0.02;
  const two_runs runs{before, later};
  const auto change = compare_runs({runs.before(), runs.after()}, 0.03);
  const auto& row = row_of(change, "fibers/epoll");
  BOOST_TEST_MESSAGE(row.words << ", gate p " << row.gate_p);
  BOOST_TEST(row.holm_p < 0.05);
  BOOST_TEST(row.change > 0.03);
  BOOST_TEST(row.range.low < 0.03);
  BOOST_TEST(row.gate == gate_result::inconclusive);
}

BOOST_AUTO_TEST_CASE(a_gate_is_a_percentage) {
  BOOST_TEST(bench::parse_percentage("3%") == 0.03);
  BOOST_TEST(bench::parse_percentage("0.5 %") == 0.005);
  BOOST_TEST(bench::parse_percentage("3") == 0.03);
  for (const auto* wrong : {"", "%", "3%%", "-1%", "0", "101%", "nan", "inf", "3 x", "x3"})
    BOOST_CHECK_THROW(bench::parse_percentage(wrong), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(a_long_name_of_a_scenario_pushes_no_number_out_of_its_column) {
  bench::run_comparison change;
  change.runs = {"before", "after"};
  change.rows.resize(1);
  change.rows[0].scenario = "c16/64/churn";
  change.rows[0].server = "fibers/epoll";
  const auto text = bench::comparison_text(change, {});
  const auto ends_at = [&](const std::string& part) {
    const auto at = text.find(part);
    BOOST_REQUIRE(at != std::string::npos);
    return at + part.size() - text.rfind('\n', at);
  };
  BOOST_TEST(ends_at("  before") == ends_at("  1.000"), text);
}

BOOST_AUTO_TEST_CASE(the_comparison_fits_80_columns) {
  const two_runs runs{quiet(1), dearer(2, 400)};
  const std::vector<std::filesystem::path> many(12, runs.before());
  auto text = bench::comparison_text(compare_runs({runs.before(), runs.after()}, 0.03), {}) +
              bench::comparison_text(compare_runs(many, 0.03), {});
  for (std::size_t at = 0, end = 0; at < text.size(); at = end + 1) {
    end = text.find('\n', at);
    const auto line = text.substr(at, end - at);
    if (line.find(runs.before().parent_path()) != std::string::npos) continue;
    BOOST_TEST(line.size() <= 80U, line);
  }
}
