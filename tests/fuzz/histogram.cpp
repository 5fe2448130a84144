// Histograms in HdrHistogram's encoding: the input as that word itself, and as the counts that such
// a word has compressed. The files for HdrHistogram's tools are made of what is accepted.
#include <tests/fuzz/expect.hpp>
#include <tests/fuzz/targets.hpp>

#include <bench/record/record.hpp>
#include <bench/report/latency_files.hpp>
#include <bench/statistics/hdr_encoding.hpp>
#include <tests/fuzz/hdr_words.hpp>

#include <memory>
#include <stdexcept>

namespace {

bench::run_record record_with(const bench::histogram& times) {
  bench::run_record record;
  record.header.started_utc = "2026-01-31T12:34:56Z";
  bench::slice timed;
  timed.server = "mine, and <other>";
  timed.latency = std::make_shared<const bench::histogram>(times);
  auto& measured = record.blocks.emplace_back();
  measured.comparison = {"a", "b", {}};
  measured.slices = {timed, timed};
  return record;
}

void expect_files(const bench::histogram& times) {
  const auto record = record_with(times);
  const auto log = bench::latency_log(record);
  fuzz::expect_showable(log, "the log");
  const auto word = log.substr(log.rfind(',') + 1);
  fuzz::expect(bench::hdr_decoded(word.substr(0, word.size() - 1)).counts() == times.counts(),
               "the log has another histogram");
  for (const auto& [name, table] : bench::percentile_tables(record)) {
    fuzz::expect(name.find('/') == name.npos, "the name of a table is a path");
    fuzz::expect_showable(table, "a table of percentiles");
    fuzz::expect(table.size() < 64 * 1024, "a table of percentiles is very long");
  }
}

void check(std::string_view word) {
  bench::histogram times;
  if (!fuzz::accepts<std::invalid_argument>(word, [&] { times = bench::hdr_decoded(word); }))
    return;
  fuzz::expect(bench::hdr_decoded(bench::hdr_encoded(times)).counts() == times.counts(),
               "a histogram is not read back");
  double below = 0;
  for (const double percent : {0.0, 50.0, 90.0, 99.0, 99.9, 100.0}) {
    fuzz::expect(times.percentile(percent) >= below, "percentiles do not rise");
    below = times.percentile(percent);
  }
  fuzz::expect(below == static_cast<double>(times.max()), "the last percentile is not the largest");
  expect_files(times);
}

}  // namespace

void fuzz::histogram(std::string_view input) {
  check(input);
  check(fuzz::hdr_word_with(input));
}
