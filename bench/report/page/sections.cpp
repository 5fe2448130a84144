#include <bench/report/page/sections.hpp>

#include <bench/report/page/elements.hpp>
#include <bench/report/tables.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace bench {
namespace {

constexpr std::string_view no_charts;

std::string measured(std::string_view title, std::string_view note, std::string_view charts,
                     const std::string& tables) {
  if (tables.empty()) return {};
  return section(title, note, charts.empty() ? tables : charted(charts, tables));
}

std::string costs(const results& found) {
  std::string tables;
  for (const auto& pair : pairs_of(found)) tables += html_table(cost_table(found, pair));
  return measured(
      "Cost per message",
      "What the bare loop on the same reactor costs, measured in the same blocks, and what "
      "the library adds. The first part wanders with the machine, the second hardly does.",
      "cost", tables);
}

std::string throughput(const results& found, bool has_charts) {
  auto tables = html_table(throughput_table(found));
  for (const auto& pair : pairs_of(found))
    tables += html_table(throughput_ratio_table(found, pair));
  return measured(
      "Throughput over connections",
      has_charts ? "One server loaded at a time; ribbons and whiskers are 95 % intervals. A "
                   "hollow mark is client-limited: the client's core was busy, and the number "
                   "is its own."
                 : "One server loaded at a time; in brackets stand 95 % intervals. Where it "
                   "says client-limited, the client's core was busy, and the number is its own.",
      "throughput", tables);
}

std::string latency(const results& found, bool has_charts) {
  std::string note =
      "The next message waits for the reply, so a stall delays few. Higher percentiles wander "
      "most on a shared machine: p99 has a verdict only from 20 blocks on, in little noise.";
  if (has_charts)
    note +=
        " Lines and p99.9: all blocks together; other marks: the typical block and its 95 % "
        "interval. Logarithmic scale.";
  auto tables = html_table(latency_table(found));
  for (const auto& pair : pairs_of(found)) tables += html_table(latency_ratio_table(found, pair));
  return measured("Latency by percentile, closed loop", note, "latency", tables);
}

std::string open_loop_section(const results& found, bool has_charts) {
  std::string note =
      "Messages are due at a fixed rate, whether or not the server keeps up, so a stall delays all "
      "that become due meanwhile.";
  if (has_charts)
    note +=
        " Lines: from when a message was due; dashed: from when it was sent; all blocks together. "
        "Marks up to p99: the typical block and its 95 % interval. Logarithmic scale.";
  return measured("Latency by percentile, open loop", note, "open-loop",
                  html_table(open_loop_table(found)));
}

std::string memory(const results& found) {
  return measured("Memory over connections",
                  "Proportional set size: shared pages count by their share. The slope is what one "
                  "more connection costs.",
                  "memory", html_table(memory_table(found)));
}

std::string kernel(const results& found) {
  return measured("Asked of the kernel",
                  "Counted in a probe of its own, because counting costs time in each call. These "
                  "numbers hardly vary, and travel between machines.",
                  no_charts, html_table(kernel_table(found.kernel)));
}

std::string blocks(const results& found, bool has_charts) {
  std::string note = "Nothing is dropped: CPU per message of each block, in the order measured.";
  if (has_charts) note += " Shaded: the interval of the ratio.";
  std::string tables;
  for (const auto& row : found.costs) tables += html_table(block_table(row));
  return measured("Every block over time", note, "blocks", tables);
}

}  // namespace

std::string measurements(const results& found, bool has_charts) {
  return costs(found) + throughput(found, has_charts) + latency(found, has_charts) +
         open_loop_section(found, has_charts) + memory(found) + kernel(found) +
         blocks(found, has_charts);
}

}  // namespace bench
