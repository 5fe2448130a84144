#include <fmt/format.h>

#include <algorithm>
#include <bench/analysis/distribution.hpp>
#include <bench/report/latency_files.hpp>
#include <bench/statistics/hdr_encoding.hpp>
#include <cctype>
#include <cmath>
#include <cstring>
#include <ctime>
#include <utility>
#include <vector>

namespace bench {
namespace {

constexpr double ns_a_ms = 1e6;  // HdrHistogram's tools show milliseconds

// The histogram of one slice with its tag. Tags must not contain commas or blanks.
struct tagged {
  std::string server;
  std::string load;
  std::string kind;  // "", "response" or "service"
  double start_s;    // Unix time
  double length_s;
  kept_histogram times;

  std::string tag() const {
    auto text = fmt::format("{}@{}{}{}", server, load, kind.empty() ? "" : ":", kind);
    for (char& each : text)
      if (each == ',' || std::isspace(static_cast<unsigned char>(each))) each = '_';
    return text;
  }
  std::string remark() const {
    const char* loop = kind.empty()         ? "closed loop"
                       : kind == "response" ? "open loop, from when a message was due"
                                            : "open loop, from when a message was sent";
    return fmt::format("{} on {}, {}; milliseconds", server, load, loop);
  }
};

void add_slice(std::vector<tagged>& all, const block& measured, const slice& timed) {
  const auto add = [&](const char* kind, const kept_histogram& times) {
    if (times)
      all.push_back({timed.server, measured.scenario.text(), kind,
                     static_cast<double>(timed.start_ms.value_or(0)) / 1000, timed.seconds, times});
  };
  add(timed.open_loop ? "response" : "", response_times(timed));
  add("service", service_times(timed));
}

std::vector<tagged> kept_in(const run_record& record) {
  std::vector<tagged> all;
  for (const auto& each : record.blocks)
    for (const auto& timed : each.slices)
      if (!each.control) add_slice(all, each, timed);
  return all;
}

// 0 if the header has no start time.
std::int64_t seconds_since_1970(const std::string& utc) {
  std::tm parts{};
  return strptime(utc.c_str(), "%Y-%m-%dT%H:%M:%SZ", &parts) ? timegm(&parts) : 0;
}

// The file name for c64/512/r50% on fibers/epoll is c64-512-r50pct_fibers-epoll.
std::string file_name(const tagged& about) {
  std::string name;
  for (const char each : about.load + '_' + about.server) {
    if (each == '%')
      name += "pct";
    else
      name +=
          std::isalnum(static_cast<unsigned char>(each)) || std::strchr("+._", each) ? each : '-';
  }
  return name + (about.kind.empty() ? "" : '_' + about.kind);
}

// The percentile of the next line of the table, as in HdrHistogram: five lines up to p50, five more
// up to p75, and so on.
double next_level(double level) {
  constexpr double lines_a_half = 5;
  const double halvings = std::floor(std::log2(100 / (100 - level))) + 1;
  return level + 100 / (lines_a_half * std::exp2(halvings));
}

// A double tells levels apart only so far below 100: with 2^53 values and more, the next one may be
// the same.
std::string percentile_lines(const histogram& times) {
  const auto total = times.count();
  std::string lines;
  double level = 0;
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < histogram::buckets && seen < total; ++i) {
    if (times.counts()[i] == 0) continue;
    seen += times.counts()[i];
    const double reached = 100 * static_cast<double>(seen) / static_cast<double>(total);
    for (double last = -1; reached >= level && level > last && level < 100;
         last = std::exchange(level, next_level(level))) {
      lines += fmt::format("{:12.6f} {:.12f} {:10} {:14.2f}\n",
                           static_cast<double>(histogram::highest_in(i)) / ns_a_ms, level / 100,
                           seen, 1 / (1 - level / 100));
      if (seen == total) break;  // the levels approach 100 without reaching it
    }
  }
  return lines;
}

struct moments {
  double mean = 0;
  double deviation = 0;
};

moments moments_of(const histogram& times) {
  const auto middle = [](std::size_t i) {
    const auto low = histogram::lowest_in(i);
    // NOLINTNEXTLINE(bugprone-integer-division): as in HdrHistogram, the middle is a whole number
    return static_cast<double>(low + (histogram::highest_in(i) + 1 - low) / 2);
  };
  const auto total = std::max(static_cast<double>(times.count()), 1.0);
  moments found;
  for (std::size_t i = 0; i < histogram::buckets; ++i)
    found.mean += middle(i) * static_cast<double>(times.counts()[i]) / total;
  for (std::size_t i = 0; i < histogram::buckets; ++i) {
    const double off = middle(i) - found.mean;
    found.deviation += off * off * static_cast<double>(times.counts()[i]) / total;
  }
  found.deviation = std::sqrt(found.deviation);
  return found;
}

std::string percentile_table(const histogram& times, const std::string& remark) {
  auto text = fmt::format("{:>12} {:>14} {:>10} {:>14}\n\n", "Value", "Percentile", "TotalCount",
                          "1/(1-Percentile)");
  text += percentile_lines(times);
  const auto total = times.count();
  const double max = static_cast<double>(times.max()) / ns_a_ms;
  if (total > 0) text += fmt::format("{:12.6f} {:.12f} {:10}\n", max, 1.0, total);
  const auto [mean, deviation] = moments_of(times);
  text += fmt::format("#[Mean    = {:12.6f}, StdDeviation   = {:12.6f}]\n", mean / ns_a_ms,
                      deviation / ns_a_ms);
  text += fmt::format("#[Max     = {:12.6f}, Total count    = {:12}]\n", max, total);
  text += fmt::format("#[Buckets = {:12}, SubBuckets     = {:12}]\n",
                      histogram::top_bit - histogram::part_bits, 2 * histogram::parts);
  return text + fmt::format("#[{}]\n", remark);
}

}  // namespace

std::string latency_log(const run_record& record) {
  const auto kept = kept_in(record);
  if (kept.empty()) return {};
  const auto start = seconds_since_1970(record.header.started_utc);
  auto text = fmt::format(
      "#[Logged by echobench: the latencies of one server alone a line, in nanoseconds]\n"
      "#[Histogram log format version 1.3]\n"
      "#[StartTime: {}.000 (seconds since epoch), {}]\n"
      "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n",
      start, record.header.started_utc);
  for (const auto& each : kept)
    text += fmt::format("Tag={},{:.3f},{:.3f},{:.3f},{}\n", each.tag(), each.start_s, each.length_s,
                        static_cast<double>(each.times->max()) / ns_a_ms, hdr_encoded(*each.times));
  return text;
}

std::map<std::string, std::string> percentile_tables(const run_record& record) {
  struct merged {
    tagged about;
    histogram times{};
  };
  std::map<std::string, merged> all;  // by tag
  for (const auto& each : kept_in(record))
    all.try_emplace(each.tag(), merged{each}).first->second.times.merge(*each.times);
  std::map<std::string, std::string> tables;
  for (const auto& [tag, of] : all) {
    auto name = file_name(of.about);
    while (tables.contains(name + ".hgrm")) name += '+';  // for names that differ only in / and -
    tables[name + ".hgrm"] = percentile_table(of.times, of.about.remark());
  }
  return tables;
}

}  // namespace bench
