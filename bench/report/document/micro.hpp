// micro: what a document can show of a run of micro_bench, which Google Benchmark wrote as JSON.
//
//     auto results = read_micro("docs/runs/micro.json");
//     micro_excerpt(results, "parts")
//     micro_excerpt(results, "sleep on 1/1,1000/10")   // 1 sleeper of 1 ms, 1,000 of 10 ms
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

namespace bench {

// Of each row, as "yield/fibers", the medians over its repetitions: the row's counters, and
// real_ns, the wall-clock time per iteration.
using micro_results = std::map<std::string, std::map<std::string, double>>;

// Throws unreadable_run, whose text names the file.
micro_results read_micro(const std::filesystem::path& file);

// "parts, sleep or ..."
std::string accepted_micro_excerpts();

// As excerpt() does for a run.
std::string micro_excerpt(const micro_results& results, std::string_view wanted);

}  // namespace bench
