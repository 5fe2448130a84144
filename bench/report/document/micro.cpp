#include <bench/report/document/micro.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bench/record/record.hpp>
#include <bench/report/forms.hpp>
#include <bench/statistics/statistics.hpp>
#include <bench/text/file.hpp>
#include <bench/text/numbers.hpp>
#include <bench/text/options.hpp>
#include <boost/json.hpp>
#include <exception>
#include <stdexcept>
#include <utility>
#include <vector>

namespace bench {
namespace {

// --- what Google Benchmark wrote

double ns_per(std::string_view unit) {
  if (unit == "ns") return 1;
  if (unit == "us") return 1e3;
  if (unit == "ms") return 1e6;
  if (unit == "s") return 1e9;
  throw std::runtime_error{fmt::format("time_unit is '{}'", unit)};
}

std::map<std::string, double> micro_numbers(const boost::json::object& row) {
  std::map<std::string, double> numbers;
  for (const auto& [key, value] : row)
    if (value.is_number()) numbers[key] = value.to_number<double>();
  numbers["real_ns"] = row.at("real_time").to_number<double>() *
                       ns_per(std::string_view{row.at("time_unit").as_string()});
  return numbers;
}

// Google's own aggregates are skipped: a file need not have them.
micro_results medians_of(const boost::json::array& rows) {
  std::map<std::string, std::map<std::string, std::vector<double>>> all;
  for (const auto& each : rows) {
    const auto& row = each.as_object();
    if (row.at("run_type").as_string() != "iteration" || row.contains("error_occurred")) continue;
    auto& of_name = all[std::string{row.at("run_name").as_string()}];
    for (const auto& [key, value] : micro_numbers(row)) of_name[key].push_back(value);
  }
  micro_results results;
  for (const auto& [name, numbers] : all)
    for (const auto& [key, values] : numbers) results[name][key] = median(values);
  return results;
}

// --- parts

struct compared_part {
  const char* words;
  const char* ours;
  const char* theirs;
  const char* peer;
};

constexpr std::array compared_parts{
    compared_part{"switch from fiber to fiber", "yield/fibers", "yield/boost_fiber", "Boost.Fiber"},
    compared_part{"the same, beside the bare jump", "yield/fibers", "switch/jump_fcontext",
                  "`jump_fcontext`"},
    compared_part{"next value of a generator", "generator_next/fibers",
                  "generator_next/boost_coroutine2", "Boost.Coroutine2"},
    compared_part{"spawn and join", "spawn_join/fibers", "spawn_join/boost_fiber", "Boost.Fiber"},
    compared_part{"one item through a channel", "channel/fibers", "channel/boost_fiber",
                  "Boost.Fiber"},
    compared_part{"mutex handed over", "mutex/fibers", "mutex/boost_fiber", "Boost.Fiber"},
    compared_part{"arm and cancel a timer beside 10,000", "timer/fibers", "timer/asio", "Asio"},
    compared_part{"post from the loop's own thread", "post/fibers", "post/asio", "Asio"},
};

std::string three_digits_ns(double time) {
  return microseconds_text(time);  // the digits are the same
}

table parts_table(const micro_results& results) {
  table shown{.columns = {{"part", "part", column_kind::word},
                          {"fibers, ns"},
                          {"peer", "peer", column_kind::marked},
                          {"peer, ns"},
                          {"ratio"}}};
  for (const auto& each : compared_parts) {
    const auto ours = results.find(each.ours), theirs = results.find(each.theirs);
    if (ours == results.end() || theirs == results.end()) continue;
    const double ns = ours->second.at("real_ns"), peer_ns = theirs->second.at("real_ns");
    shown.rows.push_back({each.words, three_digits_ns(ns), each.peer, three_digits_ns(peer_ns),
                          fmt::format("{:.2f}", ns / peer_ns)});
  }
  return shown;
}

// --- sleep

constexpr std::array sleep_loops{std::pair{"fibers_epoll", "fibers, epoll"},
                                 std::pair{"fibers_io_uring", "fibers, io_uring"},
                                 std::pair{"asio", "Asio"}};

std::string sleep_text(const micro_results& results, const std::string& loop, int sleepers,
                       int ms) {
  const auto row =
      results.find(fmt::format("sleep/{}/sleepers:{}/ms:{}/iterations:1", loop, sleepers, ms));
  if (row == results.end()) return "n/a";
  return fmt::format("{} late, {} CPU", microseconds_text(row->second.at("late_us")),
                     microseconds_text(row->second.at("cpu_us")));
}

table sleep_table(const micro_results& results, const std::vector<std::string>& loads) {
  table shown{.columns = {{"sleepers"}, {"each sleeps"}}};
  for (const auto& loop : sleep_loops) shown.columns.push_back({std::string{loop.second} + ", µs"});
  for (const int ms : {1, 5, 10, 100})
    for (const int sleepers : {1, 1'000, 20'000}) {
      const auto load = fmt::format("{}/{}", sleepers, ms);
      if (!loads.empty() && std::find(loads.begin(), loads.end(), load) == loads.end()) continue;
      std::vector<cell> row{count_text(sleepers), fmt::format("{} ms", ms)};
      for (const auto& loop : sleep_loops)
        row.emplace_back(sleep_text(results, loop.first, sleepers, ms));
      const bool measured = std::any_of(row.begin() + 2, row.end(),
                                        [](const cell& each) { return each.text != "n/a"; });
      if (measured) shown.rows.push_back(std::move(row));
    }
  if (!loads.empty() && shown.rows.size() != loads.size())
    throw std::invalid_argument{"the run does not have each of these loads once"};
  return shown;
}

// --- parked

table parked_table(const micro_results& results) {
  table shown{.columns = {{"parked fibers"}, {"KiB per fiber"}}};
  for (const int count : {1'000, 100'000, 1'000'000}) {
    const auto name = fmt::format("parked/fibers/{}/", count);  // what follows is how it was run
    const auto row = results.lower_bound(name);
    if (row != results.end() && row->first.starts_with(name))
      shown.rows.push_back(
          {count_text(count), fmt::format("{:.2f}", row->second.at("kib_per_fiber"))});
  }
  return shown;
}

}  // namespace

micro_results read_micro(const std::filesystem::path& file) try {
  return medians_of(boost::json::parse(file_text(file)).at("benchmarks").as_array());
} catch (const std::exception& error) {
  throw unreadable_run{
      fmt::format("{}: is not the JSON of micro_bench: {}", file.string(), error.what())};
}

std::string accepted_micro_excerpts() {
  return "parts, parked, or sleep [on SLEEPERS/MS,SLEEPERS/MS...]";
}

std::string micro_excerpt(const micro_results& results, std::string_view wanted) {
  const auto words = split(std::string{wanted}, ' ');
  const bool all = words.size() == 1;
  const bool some = words.size() == 3 && words[1] == "on";
  table shown;
  if (all && words[0] == "parts")
    shown = parts_table(results);
  else if (all && words[0] == "parked")
    shown = parked_table(results);
  else if ((all || some) && words[0] == "sleep")
    shown = sleep_table(results, some ? split(words[2], ',') : std::vector<std::string>{});
  else
    throw std::invalid_argument{fmt::format("'{}' is not {}", wanted, accepted_micro_excerpts())};
  if (shown.rows.empty())
    throw std::invalid_argument{fmt::format("the run has nothing to show for '{}'", wanted)};
  return markdown_table(shown);
}

}  // namespace bench
