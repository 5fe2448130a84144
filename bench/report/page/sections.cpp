#include <bench/report/page/sections.hpp>

#include <fmt/format.h>

#include <bench/report/page/elements.hpp>
#include <bench/report/trust.hpp>
#include <bench/text/numbers.hpp>
#include <string>
#include <vector>

namespace bench {
namespace {

using cells = std::vector<std::string>;

std::string value_text(const estimate& shown, std::string (*number)(double)) {
  return shown.n > 0 ? number(shown.value) : "n/a";
}

// What the kernel takes and what the library adds.
std::string cost_table(const results& found, const comparison& pair) {
  std::vector<cells> lines;
  for (const auto* row : costs_of(found, pair))
    for (const auto* side : {&row->contender, &row->base})
      lines.push_back({row->scenario.text(), escaped(side->server),
                       interval_text(side->cpu_ns, ns_text), interval_text(row->floor_ns, ns_text),
                       interval_text(side->overhead_ns, ns_text)});
  return html_table({{"scenario"},
                     {"server"},
                     {"CPU, ns", "number"},
                     {"floor, ns", "number"},
                     {"library, ns", "number"}},
                    lines,
                    pair_title(pair) + ": CPU nanoseconds per message of the server process");
}

std::string cost_tables(const results& found) {
  std::string tables;
  for (const auto& pair : pairs_of(found)) tables += cost_table(found, pair);
  return tables;
}

// Loaded alone.
template <class MakeCells>
std::vector<cells> load_lines(const results& found, MakeCells make) {
  std::vector<cells> lines;
  for (const auto& row : found.loads)
    for (const auto* side : {&row.contender, &row.base}) {
      lines.push_back({row.scenario.text(), escaped(side->server)});
      for (auto& cell : make(*side)) lines.back().push_back(std::move(cell));
    }
  return lines;
}

std::string throughput_table(const results& found) {
  return html_table(
      {{"scenario"}, {"server"}, {"messages/s", "number"}, {"client's core", "number"}},
      load_lines(found,
                 [](const server_load& side) -> cells {
                   return {interval_text(side.messages_per_second, count_text),
                           fmt::format("{:.0f} %{}", 100 * side.client_utilisation,
                                       side.client_limited ? ", client-limited" : "")};
                 }),
      "Messages a second, one server loaded at a time");
}

std::string latency_table(const results& found) {
  return html_table({{"scenario"},
                     {"server"},
                     {"p50, us", "number"},
                     {"p90, us", "number"},
                     {"p99, us", "number"},
                     {"p99.9, us", "number"},
                     {"max, us", "number"}},
                    load_lines(found,
                               [](const server_load& side) -> cells {
                                 return {value_text(side.p50_us, microseconds_text),
                                         value_text(side.p90_us, microseconds_text),
                                         value_text(side.p99_us, microseconds_text),
                                         microseconds_text(side.latency, &distribution::p999_us),
                                         microseconds_text(side.latency, &distribution::max_us)};
                               }),
                    "Closed loop: the next message waits for the reply. p50, p90 and p99: of the "
                    "typical block; p99.9 and max: of all blocks together");
}

cells response_cells(const std::string& from, const estimate& p50, const estimate& p99,
                     const std::optional<distribution>& all, const std::string& late) {
  return {from,
          value_text(p50, microseconds_text),
          value_text(p99, microseconds_text),
          microseconds_text(all, &distribution::p999_us),
          microseconds_text(all, &distribution::max_us),
          late};
}

// Two lines a server: from when a message was due, and from when it was sent.
std::string open_loop_table(const results& found) {
  std::vector<cells> lines;
  const auto add = [&](const open_row& row, const server_response& side, const cells& times) {
    lines.push_back({row.scenario.text(), escaped(side.server),
                     count_text(row.rate_per_second.value),
                     percent_text(side.answered) + (side.saturated ? ", saturated" : "")});
    lines.back().insert(lines.back().end(), times.begin(), times.end());
  };
  for (const auto& row : found.open_loops)
    for (const auto* side : {&row.contender, &row.base}) {
      add(row, *side,
          response_cells("due", side->response_p50_us, side->response_p99_us, side->response,
                         value_text(side->late_p99_us, microseconds_text)));
      add(row, *side,
          response_cells("sent", side->service_p50_us, side->service_p99_us, side->service, ""));
    }
  return html_table({{"scenario"},
                     {"server"},
                     {"asked/s", "number"},
                     {"answered", "number"},
                     {"from", "word"},
                     {"p50, us", "number"},
                     {"p99, us", "number"},
                     {"p99.9, us", "number"},
                     {"max, us", "number"},
                     {"client late p99, us", "number"}},
                    lines,
                    "Open loop: response from when a message was due, service from when it was "
                    "sent; p99.9 and max: of all blocks together. A server that answers under "
                    "99 % is saturated and has no latency");
}

std::string memory_table(const results& found) {
  std::vector<cells> lines;
  for (const auto& row : found.memory) {
    std::string samples;
    for (const auto& each : row.samples)
      samples += fmt::format("{}{} KiB at {}", samples.empty() ? "" : ", ",
                             count_text(each.pss_kib), count_text(each.connections));
    lines.push_back({escaped(row.server), memory_text(row), escaped(samples)});
  }
  return html_table({{"server"}, {"KiB a connection", "number"}, {"PSS of the process", "word"}},
                    lines, "Slope of PSS over open connections that have each echoed once");
}

std::string kernel_table(const results& found) {
  std::vector<cells> lines;
  for (const auto& row : found.kernel)
    lines.push_back({row.scenario.text(), escaped(row.server), calls_text(row.system_calls),
                     calls_text(row.context_switches)});
  return html_table(
      {{"scenario"}, {"server"}, {"system calls", "number"}, {"context switches", "number"}}, lines,
      "A message, one server loaded at a time");
}

// A table a row of results: what would repeat in each line stands in the caption.
std::string block_tables(const results& found) {
  std::string tables;
  for (const auto& row : found.costs) {
    std::vector<cells> lines;
    for (const auto& each : row.blocks)
      lines.push_back({std::to_string(each.round + 1), ns_text(each.contender_ns),
                       ns_text(each.base_ns), each.floor_ns ? ns_text(*each.floor_ns) : "n/a",
                       ratio_text(each.ratio)});
    if (lines.empty()) continue;
    tables += number_table({"round", "first, ns", "second, ns", "floor, ns", "ratio"}, lines,
                           fmt::format("{}, {}: CPU per message in every {} block",
                                       row.scenario.text(), pair_title(row.comparison),
                                       row.decided_by == block_kind::duet ? "duet" : "exclusive"));
  }
  return tables;
}

}  // namespace

std::string cost_section(const results& found) {
  if (found.costs.empty()) return {};
  return section(
      "Cost per message",
      "What the bare loop on the same reactor costs, measured in the same blocks, and what "
      "the library adds. The first part wanders with the machine, the second hardly does.",
      charted("cost", cost_tables(found)));
}

std::string throughput_section(const results& found, bool has_charts) {
  if (found.loads.empty()) return {};
  return section(
      "Throughput over connections",
      has_charts ? "One server loaded at a time; ribbons and whiskers are 95 % intervals. A "
                   "hollow mark is client-limited: the client's core was busy, and the number "
                   "is its own."
                 : "One server loaded at a time; in brackets stand 95 % intervals. Where it "
                   "says client-limited, the client's core was busy, and the number is its own.",
      charted("throughput", throughput_table(found)));
}

std::string latency_section(const results& found, bool has_charts) {
  if (found.loads.empty()) return {};
  return section(
      "Latency by percentile, closed loop",
      fmt::format("The next message waits for the reply, so a stall delays few. {}There is no "
                  "verdict on percentiles: on a shared machine they wander most.{}",
                  has_charts ? "Lines and p99.9: all blocks together; other marks: the typical "
                               "block and its 95 % interval. "
                             : "",
                  has_charts ? " Logarithmic scale." : ""),
      charted("latency", latency_table(found)));
}

std::string open_loop_section(const results& found, bool has_charts) {
  if (found.open_loops.empty()) return {};
  return section("Latency by percentile, open loop",
                 std::string{"Messages are due at a fixed rate, whether or not the server keeps "
                             "up, so a stall delays all that become due meanwhile."} +
                     (has_charts ? " Lines: from when a message was due; dashed: from when it was "
                                   "sent; all blocks together. Marks up to p99: the typical block "
                                   "and its 95 % interval. Logarithmic scale."
                                 : ""),
                 charted("open-loop", open_loop_table(found)));
}

std::string memory_section(const results& found) {
  if (found.memory.empty()) return {};
  return section("Memory over connections",
                 "Proportional set size: shared pages count by their share. The slope is what one "
                 "more connection costs.",
                 charted("memory", memory_table(found)));
}

std::string kernel_section(const results& found) {
  if (found.kernel.empty()) return {};
  return section("Asked of the kernel",
                 "Counted in a probe of its own, because counting costs time in each call. These "
                 "numbers hardly vary, and travel between machines.",
                 kernel_table(found));
}

std::string blocks_section(const results& found, bool has_charts) {
  if (found.costs.empty()) return {};
  return section("Every block over time",
                 std::string{"Nothing is dropped: CPU per message of each block, in the order "
                             "measured."} +
                     (has_charts ? " Shaded: the interval of the ratio." : ""),
                 charted("blocks", block_tables(found)));
}

}  // namespace bench
