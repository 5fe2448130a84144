#include <bench/compare/anchored.hpp>
#include <bench/record/run_folder.hpp>
#include <cmath>
#include <numeric>

namespace bench {
namespace {

bool is_asio(const std::string& server) {
  return server.starts_with("asio-callback/");
}

void add_against_floor(std::map<subject, anchored>& all, const cost_row& row,
                       const server_cost& server, double block_cost::*cost) {
  anchored values{{}, server.cpu_ns.value};
  for (const auto& each : row.blocks)
    if (each.floor_ns) values.log_ratios.push_back(std::log(each.*cost / *each.floor_ns));
  all.try_emplace({row.scenario.text(), server.server, *row.comparison.floor}, std::move(values));
}

void add_row(std::map<subject, anchored>& all, const cost_row& row) {
  if (row.verdict.what == finding::unmeasured) return;
  if (is_asio(row.comparison.base) || !row.floor_ns) {
    anchored values{{}, row.contender.cpu_ns.value};
    for (const auto& each : row.blocks) values.log_ratios.push_back(std::log(each.ratio));
    all.try_emplace({row.scenario.text(), row.contender.server, row.base.server},
                    std::move(values));
    return;
  }
  add_against_floor(all, row, row.contender, &block_cost::contender_ns);
  add_against_floor(all, row, row.base, &block_cost::base_ns);
}

}  // namespace

double anchored::ratio() const {
  if (log_ratios.empty()) return 1;
  return std::exp(std::accumulate(log_ratios.begin(), log_ratios.end(), 0.0) /
                  static_cast<double>(log_ratios.size()));
}

report_contents read_run_or_report(const std::filesystem::path& path) {
  auto file = path;
  if (std::filesystem::is_directory(path)) {
    file = run_file(path);
    if (!std::filesystem::exists(file)) file = path / "report.json";
    if (!std::filesystem::exists(file))
      throw unreadable_run{path.string() + ": holds neither run.ndjson nor report.json"};
  }
  if (file.extension() == ".json") return read_json_report(file);
  const auto record = read_run(file);
  return {record.header, analyse(record)};
}

std::map<subject, anchored> anchored_costs(const results& found) {
  std::map<subject, anchored> all;
  for (const auto& row : found.costs) add_row(all, row);
  return all;
}

}  // namespace bench
