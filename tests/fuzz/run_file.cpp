// run.ndjson as report, compare and --resume read it: it is refused, or it is read back as the same
// run, every report of it can be written, and a run that goes on can be appended to it.
#include <tests/fuzz/every_form.hpp>
#include <tests/fuzz/expect.hpp>
#include <tests/fuzz/memory_file.hpp>
#include <tests/fuzz/targets.hpp>

#include <bench/compare/compare.hpp>
#include <bench/measure/resume.hpp>
#include <bench/record/journal.hpp>
#include <bench/record/record.hpp>
#include <bench/report/json.hpp>
#include <bench/report/latency_files.hpp>
#include <bench/text/command_words.hpp>
#include <tests/bench/synthetic_run.hpp>

#include <optional>

namespace {

std::optional<bench::run_record> read_run(const fuzz::memory_file& file, std::string_view input) {
  std::optional<bench::run_record> record;
  fuzz::accepts<bench::unreadable_run>(input, [&] { record = bench::read_run(file.path()); });
  return record;
}

void expect_latency_files(const bench::run_record& record) {
  fuzz::expect_showable(bench::latency_log(record), "the log of latencies");
  for (const auto& [name, table] : bench::percentile_tables(record)) {
    fuzz::expect(name.find('/') == name.npos, "the name of a table is a path");
    fuzz::expect_showable(name + table, "a table of percentiles");
  }
}

void expect_comparable(const fuzz::memory_file& file, std::string_view input) {
  fuzz::accepts<bench::nothing_to_compare>(input, [&] {
    fuzz::expect_forms(bench::compare_runs({file.path(), file.path()}, 0.03));
  });
}

void expect_command(const bench::run_header& header, std::string_view input) {
  bench::arguments words;
  const auto read_words = [&] { words = bench::arguments_of(header); };
  if (!fuzz::accepts<bench::unreadable_run>(input, read_words)) return;
  bench::run_header again;
  again.command_line = bench::command_line("run", words);
  fuzz::expect(bench::arguments_of(again) == words, "the command of a run is not read back");
}

void expect_same_again(const bench::run_record& record, const fuzz::memory_file& file) {
  const auto again = [&](const std::string& text) {
    file.hold(text);
    return ndjson_of(bench::read_run(file.path()));
  };
  const auto first = ndjson_of(record);
  const auto second = again(first);
  fuzz::expect_settled(first, second, again(second), "a run");
}

// compare reads the report of each run that it reads.
void expect_readable_report(const bench::run_record& record, const fuzz::memory_file& file) {
  const auto again = [&](const std::string& text) {
    file.hold(text);
    const auto report = bench::read_json_report(file.path());
    return bench::json_report_line(report.header, report.found);
  };
  const auto first = bench::json_report_line(record.header, bench::analyse(record));
  const auto second = again(first);
  fuzz::expect_settled(first, second, again(second), "the report of a run");
}

// What report reads, --resume appends to.
void expect_resumable(const fuzz::memory_file& file, std::string_view input) {
  auto before = *read_run(file, input);
  const auto append = [&] {
    bench::journal::go_on(file.path()).append(bench::to_json_line(bench::run_end::interrupted));
  };
  if (!fuzz::accepts<bench::run_invalid>(input, append)) return;
  const auto after = read_run(file, input);
  before.end = bench::run_end::interrupted;
  fuzz::expect(after && !after->last_line_truncated && ndjson_of(*after) == ndjson_of(before),
               "a run that went on is not what it was");
}

}  // namespace

void fuzz::run_file(std::string_view input) {
  static const fuzz::memory_file file;
  file.hold(input);
  const auto record = read_run(file, input);
  if (!record) return;
  expect_command(record->header, input);
  fuzz::expect_forms(record->header, bench::analyse(*record));
  expect_latency_files(*record);
  expect_comparable(file, input);
  expect_resumable(file, input);

  expect_readable_report(*record, file);
  expect_same_again(*record, file);
}
