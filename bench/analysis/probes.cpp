#include <bench/analysis/probes.hpp>

#include <algorithm>
#include <boost/math/statistics/linear_regression.hpp>
#include <set>

namespace bench {
namespace {

std::optional<double> slope(const std::vector<memory_sample>& samples) {
  std::set<int> counts;
  std::vector<double> x, y;
  for (const auto& sample : samples) {
    counts.insert(sample.connections);
    x.push_back(sample.connections);
    y.push_back(sample.pss_kib);
  }
  if (counts.size() < 2) return std::nullopt;
  return boost::math::statistics::simple_ordinary_least_squares(x, y).second;
}

}  // namespace

std::vector<memory_row> memory_of(const run_record& record) {
  std::vector<memory_row> rows;
  for (const auto& sample : record.memory) {
    const auto same = [&](const memory_row& row) { return row.server == sample.server; };
    auto row = std::find_if(rows.begin(), rows.end(), same);
    if (row == rows.end()) row = rows.insert(rows.end(), {sample.server, {}, {}});
    row->samples.push_back(sample);
  }
  for (auto& row : rows) row.kib_per_connection = slope(row.samples);
  for (const auto& server : record.header.servers)
    if (server.target) rows.push_back({server.name, {}, {}});
  return rows;
}

std::vector<kernel_row> kernel_of(const run_record& record) {
  std::vector<kernel_row> rows;
  for (const auto& sample : record.kernel) {
    if (sample.messages <= 0) continue;
    const auto messages = static_cast<double>(sample.messages);
    kernel_row row{sample.scenario, sample.server, std::nullopt,
                   static_cast<double>(sample.context_switches) / messages};
    if (sample.system_calls)
      row.system_calls = static_cast<double>(*sample.system_calls) / messages;
    rows.push_back(row);
  }
  return rows;
}

}  // namespace bench
