#include <bench/report/page/sections.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <bench/report/by_host/host_table.hpp>
#include <bench/report/rates/curve_tables.hpp>
#include <bench/report/tables.hpp>
#include <string>
#include <string_view>
#include <utility>

namespace bench {
namespace {

// A table of each pair, one below the other.
template <class MakeTable>
std::string tables_of_pairs(const results& found, std::string_view what, MakeTable make) {
  std::string tables;
  for (const auto& pair : pairs_of(found))
    tables +=
        html_table(make(found, pair), fmt::format("{}-{}-{}", what, pair.contender, pair.base));
  return tables;
}

part costs(const results& found, bool has_charts) {
  const auto tables = tables_of_pairs(found, "cost", cost_table);
  if (tables.empty()) return {};
  std::string note =
      "What each server takes above the bare loop, which is the same server without a library, "
      "measured in the same blocks. Below 0 it takes less than the bare loop.";
  if (has_charts) note += " Each load has its own scale; the line of 0 is the same.";
  return open_part("cost", "Cost per message", note, charted("cost", tables));
}

part part_load(const results& found, bool has_charts) {
  std::string tables;
  for (const auto& curve : curves_of(found)) {
    const auto& [load, pair, points] = curve;
    const auto place = fmt::format("{}-{}-{}", load.text(), pair.contender, pair.base);
    tables += html_table(curve_cost_table(curve), "rate-cost-" + place) +
              html_table(curve_latency_table(curve), "rate-latency-" + place);
  }
  if (tables.empty()) return {};
  std::string note =
      "The same load at several rates, one server loaded at a time, both at the same rate. A "
      "server "
      "that sleeps between messages pays for waking up; the more messages are there when it wakes, "
      "the less of that falls on each.";
  if (has_charts)
    note +=
        " The rightmost point is the full load, a closed loop in which each server answers what it "
        "can. Ribbons and whiskers are 95 % intervals. The scale of CPU begins at 0, those of "
        "latency are logarithmic.";
  return open_part("part-load", "CPU and latency over the rate", note,
                   charted("part-load", tables));
}

part throughput(const results& found, bool has_charts) {
  auto tables = html_table(throughput_table(found), "throughput");
  if (tables.empty()) return {};
  tables += tables_of_pairs(found, "throughput-ratio", throughput_ratio_table);
  const auto* note =
      has_charts ? "One server loaded at a time; ribbons and whiskers are 95 % intervals. A hollow "
                   "mark is client-limited: the client's core was busy, and the number is its own. "
                   "Each chart and each load has its own scale."
                 : "One server loaded at a time; in brackets stand 95 % intervals. Where it says "
                   "client-limited, the client's core was busy, and the number is its own.";
  return open_part("throughput", "Throughput", note, charted("throughput", tables));
}

part latency(const results& found, bool has_charts) {
  auto tables = html_table(latency_table(found), "latency");
  if (tables.empty()) return {};
  tables += tables_of_pairs(found, "latency-ratio", latency_ratio_table);
  std::string note =
      "The next message waits for the reply, so a stall delays few. Higher percentiles wander "
      "most on a shared machine: p99 has a verdict only from 20 blocks on, in little noise.";
  if (has_charts)
    note +=
        " Lines and p99.9: all blocks together; other marks: the typical block and its 95 % "
        "interval. Logarithmic scale.";
  return open_part("latency", "Latency by percentile, closed loop", note,
                   charted("latency", tables));
}

part open_loop(const results& found, bool has_charts) {
  const auto tables = html_table(open_loop_table(found), "open-loop");
  if (tables.empty()) return {};
  std::string note =
      "Messages are due at a fixed rate, whether or not the server keeps up, so a stall delays all "
      "that become due meanwhile.";
  if (has_charts)
    note +=
        " Lines: from when a message was due; dashed: from when it was sent; all blocks together. "
        "Marks up to p99: the typical block and its 95 % interval. Logarithmic scale.";
  return folded_part("open-loop", "Latency by percentile, open loop", note,
                     charted("open-loop", tables));
}

bool has_strips(const results& found) {
  return std::any_of(found.hosts->begin(), found.hosts->end(),
                     [](const host_row& row) { return !row.parts.empty(); });
}

part hosts(const results& found, bool has_charts) {
  const auto tables = html_table(host_table(found), "hosts");
  if (tables.empty()) return {};
  std::string note =
      "Where hosts differ under one load, its numbers are a mixture of theirs. Each host measured "
      "with its own clock.";
  if (has_charts && has_strips(found))
    note +=
        " A cell is one slice, in the order measured, or as many as share its place: then it shows "
        "the one that is farthest off. The number beside a line is that of the median slice. Loads "
        "with fewer than 4 connections per generator have no chart: there one connection more or "
        "less makes the difference.";
  return open_part("hosts", "Load by host", note, charted("hosts", tables));
}

part memory(const results& found) {
  const auto tables = html_table(memory_table(found), "memory");
  if (tables.empty()) return {};
  return open_part("memory", "Memory over connections",
                   "Proportional set size: shared pages count by their share. The slope is what "
                   "one more connection costs.",
                   charted("memory", tables));
}

part kernel(const results& found) {
  const auto tables = html_table(kernel_table(found.kernel), "kernel");
  if (tables.empty()) return {};
  return folded_part("kernel", "Asked of the kernel",
                     "Counted in a probe of its own, because counting costs time in each call. "
                     "These numbers hardly vary, and travel between machines.",
                     tables);
}

part blocks(const results& found, bool has_charts) {
  std::string tables;
  for (const auto& row : found.costs) tables += html_table(block_table(row));
  if (tables.empty()) return {};
  std::string note = "Nothing is dropped: CPU per message of each block, in the order measured.";
  if (has_charts) note += " Shaded: the interval of the ratio.";
  return folded_part("blocks", "Every block over time", note, charted("blocks", tables));
}

}  // namespace

part servers(const results& found) {
  const auto tables = html_table(matrix_table(found), "servers");
  if (tables.empty()) return {};
  return open_part(
      "servers", "All servers",
      "One row per server. The parts below have the same numbers, with their intervals.", tables);
}

std::vector<part> measurements(const results& found, bool has_charts) {
  std::vector<part> parts{costs(found, has_charts),      part_load(found, has_charts),
                          throughput(found, has_charts), memory(found),
                          latency(found, has_charts),    open_loop(found, has_charts),
                          hosts(found, has_charts),      kernel(found),
                          blocks(found, has_charts)};
  std::erase_if(parts, [](const part& each) { return each.html.empty(); });
  return parts;
}

}  // namespace bench
