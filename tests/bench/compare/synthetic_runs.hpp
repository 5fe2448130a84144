// synthetic_runs: folders of synthetic runs, as input for compare_runs().
//
//     const two_runs runs{quiet(1), slower(2, 400)};
//     row_of(compare_runs({runs.before(), runs.after()}), "fibers/epoll").change
#pragma once

#include <bench/compare/compare.hpp>
#include <bench/record/record.hpp>
#include <bench/report/report.hpp>

#include <algorithm>
#include <filesystem>
#include <ostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <tests/bench/synthetic_run.hpp>
#include <tests/scratch_folder.hpp>

namespace bench {
inline std::ostream& operator<<(std::ostream& out, gate_result result) {
  return out << static_cast<int>(result);
}
}  // namespace bench

// Run folders in a temporary folder, oldest first.
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

// Two run folders in a temporary folder, with all report files.
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

inline synthetic_truth quiet(unsigned seed) {
  return {.seed = seed, .noise = 0.003, .latencies = false, .kernel_drift = 0.01};
}

inline synthetic_truth slower(unsigned seed, double by_ns) {
  auto truth = quiet(seed);
  truth.library_ns["fibers/epoll"] += by_ns;
  return truth;
}

inline const bench::change_row& row_of(const bench::run_comparison& change, std::string_view server,
                                       std::string_view scenario = "c64/512") {
  for (const auto& row : change.rows)
    if (row.about.what == bench::quantity::cpu && row.about.server == server &&
        row.about.scenario == scenario)
      return row;
  throw std::logic_error{"no such row: " + std::string{server}};
}

inline std::size_t rows_of(const bench::run_comparison& change, bench::quantity what) {
  return static_cast<std::size_t>(
      std::count_if(change.rows.begin(), change.rows.end(),
                    [=](const bench::change_row& row) { return row.about.what == what; }));
}

inline bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}
