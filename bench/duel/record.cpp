#include <algorithm>
#include <bench/duel/record.hpp>
#include <bench/record/journal.hpp>
#include <bench/report/report.hpp>

namespace bench {

run_record record_of(const duel& match, run_header header, std::vector<caveat> caveats_found) {
  run_record record;
  record.header = std::move(header);
  record.header.suite = "duel";
  record.header.watched = true;
  record.header.comparisons = {match.score().next_round().comparison};
  for (const auto& row : match.rows()) {
    if (row.rounds.empty()) continue;
    record.header.scenarios.push_back(row.scenario);
    record.header.rounds = std::max(record.header.rounds, static_cast<int>(row.rounds.size()));
    record.blocks.insert(record.blocks.end(), row.rounds.begin(), row.rounds.end());
    record.memory.insert(record.memory.end(), row.memory.begin(), row.memory.end());
  }
  record.caveats_found = std::move(caveats_found);
  record.end = run_end::complete;  // the number of rounds of a duel is not planned
  return record;
}

void write_run(const run_record& record, const std::filesystem::path& folder) {
  std::vector<std::string> lines{to_json_line(record.header)};
  for (const auto& each : record.caveats_found) lines.push_back(to_json_line(each));
  for (const auto& each : record.memory) lines.push_back(to_json_line(each));
  for (const auto& each : record.blocks) lines.push_back(to_json_line(each));
  if (record.end) lines.push_back(to_json_line(*record.end));
  journal::begin(folder / "run.ndjson", lines).close();
  write_reports(record, folder);
}

}  // namespace bench
