#include <bench/report/tables.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <bench/analysis/headlines.hpp>
#include <bench/contract/printable.hpp>
#include <bench/report/trust.hpp>
#include <bench/text/numbers.hpp>
#include <cmath>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace bench {
namespace {

std::string value_text(const estimate& shown, number_text number) {
  return shown.n > 0 ? number(shown.value) : "n/a";
}

cell interval_cell(const std::optional<estimate>& shown, number_text number) {
  return shown ? interval_cell(*shown, number) : cell{"n/a"};
}

// From all blocks merged; "n/a" if no histogram was kept.
std::string all_blocks_text(const std::optional<distribution>& all, double distribution::*which) {
  return all ? microseconds_text((*all).*which) : "n/a";
}

std::string two_places(double number) {
  return fmt::format("{:.2f}", number);
}

std::string block_word(block_kind kind) {
  return kind == block_kind::duet ? "duet" : "exclusive";
}

// Adds two lines per row of results, the contender first.
template <class Row, class MakeCells>
void add_sides(table& shown, const std::vector<Row>& rows, MakeCells cells_of) {
  for (const auto& row : rows)
    for (const auto* side : {&row.contender, &row.base}) {
      auto& line = shown.rows.emplace_back();
      line.assign({row.scenario.text(), side->server});
      for (auto& each : cells_of(*side)) line.push_back(std::move(each));
    }
}

// A saturated server has no latency.
cell response_cell(const server_response& of, const estimate& time) {
  return of.saturated ? cell{"saturated"} : value_cell(time, microseconds_text);
}

std::string announced_text(const server_info& server) {
  std::string said;
  for (const auto& [key, value] : server.announced)
    said += fmt::format("{}{}={}", said.empty() ? "" : " ", key, value);
  return said.empty() ? "nothing" : said;
}

// The ratio with its interval, followed by the verdict's word unless it is lower, higher or n/a.
std::string ratio_and_word(const cost_row& row) {
  const auto what = row.verdict.what;
  const bool plain =
      what == finding::lower || what == finding::higher || what == finding::unmeasured;
  return interval_text(row.ratio, ratio_text) + (plain ? "" : fmt::format(", {}", word_of(what)));
}

std::string samples_text(const memory_row& row) {
  std::string samples;
  for (const auto& each : row.samples)
    samples += fmt::format("{}{} KiB at {}", samples.empty() ? "" : ", ", count_text(each.pss_kib),
                           count_text(each.connections));
  return samples;
}

}  // namespace

cell value_cell(const estimate& shown, number_text number) {
  return {interval_text(shown, number), value_text(shown, number)};
}

cell interval_cell(const estimate& shown, number_text number) {
  const auto whole = interval_text(shown, number);
  return {whole, shown.range ? whole : value_text(shown, number)};
}

std::pair<std::string, std::string> short_names(const comparison& pair) {
  const auto reactor = [](const std::string& name) { return name.substr(name.find('/') + 1); };
  const bool known = pair.contender.starts_with("fibers/") &&
                     pair.base.starts_with("asio-callback/") &&
                     reactor(pair.contender) == reactor(pair.base);
  return known ? std::pair<std::string, std::string>{"fibers", "Asio"}
               : std::pair{pair.contender, pair.base};
}

// {"fibers", "asio"} of fibers/epoll against asio-callback/epoll.
std::pair<std::string, std::string> libraries_of(const comparison& pair) {
  const auto library = [](const std::string& name) {
    return name.substr(0, name.find_first_of("/-"));
  };
  return {library(pair.contender), library(pair.base)};
}

table verdict_table(const results& found, const comparison& pair) {
  const auto rows = costs_of(found, pair);
  const bool from_duets = rows.front()->decided_by == block_kind::duet;
  table shown{
      .title = fmt::format("CPU per message, {} / {}", pair.contender, pair.base),
      .note = fmt::format("Below 1: {} uses less. Margin: {}.{}", pair.contender,
                          percent_text(from_duets ? found.margin : found.margin_alone),
                          from_duets ? ""
                                     : " The two never shared a core at once: the ratios are "
                                       "from exclusive blocks."),
      .columns = {scenario_column,
                  {"ratio [95 %]", "ratio"},
                  {"verdict", "verdict", column_kind::verdict}}};
  for (const auto* row : rows)
    shown.rows.push_back({row->scenario.text(),
                          interval_cell(row->ratio, ratio_text),
                          {row->verdict.words, std::string{word_of(row->verdict.what)}}});
  return shown;
}

table overhead_table(const results& found, const comparison& pair) {
  table shown{.title = "CPU above " + pair.floor.value_or("the bare loop") + ", ns per message",
              .note = found.calibration ? calibration_text(*found.calibration) + "." : "",
              .columns = {scenario_column,
                          {pair.contender, pair.contender},
                          {pair.base, pair.base},
                          {"ratio", "ratio"}}};
  for (const auto* row : costs_of(found, pair))
    if (row->contender.overhead_ns && row->base.overhead_ns)
      shown.rows.push_back({row->scenario.text(),
                            interval_cell(row->contender.overhead_ns, ns_text),
                            interval_cell(row->base.overhead_ns, ns_text),
                            interval_cell(row->overhead_ratio, two_places)});
  return shown;
}

table cost_table(const results& found, const comparison& pair) {
  table shown{
      .title = "CPU of the server process, ns per message: " + pair_title(pair),
      .columns = {scenario_column, server_column, {"CPU, ns"}, {"floor, ns"}, {"library, ns"}}};
  for (const auto* row : costs_of(found, pair))
    for (const auto* side : {&row->contender, &row->base})
      shown.rows.push_back(
          {row->scenario.text(), side->server, interval_cell(side->cpu_ns, ns_text),
           interval_cell(row->floor_ns, ns_text), interval_cell(side->overhead_ns, ns_text)});
  return shown;
}

table summary_table(const results& found) {
  constexpr std::size_t most_rows = 9;
  table shown;
  const auto pairs = pairs_of(found);
  if (pairs.empty()) return shown;
  const auto [contender, base] = short_names(pairs.front());
  shown.columns = {{"load", "load", column_kind::marked},
                   {fmt::format("CPU per message, {} / {} [95 %]", contender, base)}};
  std::vector<scenario> loads;
  for (const auto& pair : pairs) {
    if (libraries_of(pair) != libraries_of(pairs.front())) continue;
    for (const auto* row : costs_of(found, pair)) {
      if (shown.rows.size() == most_rows || std::ranges::count(loads, row->scenario) > 0) continue;
      loads.push_back(row->scenario);
      const auto other = pair.base == pairs.front().base ? "" : ", " + pair.base;
      shown.rows.push_back(
          {fmt::format("{} (`{}`{})", row->scenario.words(), row->scenario.text(), other),
           ratio_and_word(*row)});
    }
  }
  return shown;
}

table throughput_ratio_table(const results& found, const comparison& pair) {
  table shown{.title = fmt::format("Throughput, {} / {}", pair.contender, pair.base),
              .note = fmt::format("Above 1: {} answers more. Margin: {}.", pair.contender,
                                  percent_text(smallest_margin)),
              .columns = {scenario_column,
                          {"ratio [95 %]", "ratio"},
                          {"verdict", "verdict", column_kind::verdict}}};
  std::map<std::string, std::vector<std::string>> missing;  // "n/a: why", and the loads
  for (const auto& row : found.loads) {
    if (row.comparison != pair || !row.throughput_verdict) continue;
    const auto& [what, words, more] = *row.throughput_verdict;
    if (what == finding::unmeasured)
      missing[words].push_back(row.scenario.text());
    else
      shown.rows.push_back({row.scenario.text(),
                            interval_cell(row.throughput_ratio, ratio_text),
                            {words, std::string{word_of(what)}}});
  }
  for (const auto& [words, loads] : missing)
    shown.note += fmt::format(" On {} {}.", fmt::join(loads, ", "), words);
  return shown;
}

table latency_ratio_table(const results& found, const comparison& pair) {
  table shown{
      .title = fmt::format("Latency, {} / {}", pair.contender, pair.base),
      .note = fmt::format("Below 1: {} answers sooner. Margin: {}. In an open loop from when a "
                          "message was due.",
                          pair.contender, percent_text(smallest_margin)),
      .columns = {scenario_column,
                  {"of", "of", column_kind::word},
                  {"ratio [95 %]", "ratio"},
                  {"verdict", "verdict", column_kind::verdict}}};
  const auto add = [&](const auto& row) {
    if (row.comparison != pair) return;
    for (const auto& [name, latency] : {std::pair{"p50", &row.p50}, {"p99", &row.p99}}) {
      if (!*latency || (*latency)->verdict.what == finding::unmeasured) continue;
      const auto& [ratio, p, verdict] = **latency;
      shown.rows.push_back({row.scenario.text(),
                            name,
                            interval_cell(ratio, ratio_text),
                            {verdict.words, std::string{word_of(verdict.what)}}});
    }
  };
  for (const auto& row : found.loads) add(row);
  for (const auto& row : found.open_loops) add(row);
  return shown;
}

table throughput_table(const results& found) {
  table shown{.title = "Loaded alone, closed loop: throughput",
              .note = "Under churn: connections/s.",
              .columns = {scenario_column,
                          server_column,
                          {"messages/s", "messages/s"},
                          {"client's core", "client"}}};
  add_sides(shown, found.loads, [](const server_load& side) -> std::vector<cell> {
    const auto used = fmt::format("{:.0f} %", 100 * side.client_utilisation);
    return {interval_cell(side.messages_per_second, count_text),
            side.client_limited ? cell{used + ", client-limited", used + ", limit"} : cell{used}};
  });
  return shown;
}

table latency_table(const results& found) {
  table shown{.title = "Loaded alone, closed loop: latency",
              .note =
                  "The next message waits for the reply. p50, p90 and p99: of the typical "
                  "block; p99.9 and max: of all blocks together.",
              .columns = {scenario_column,
                          server_column,
                          {"p50, µs", "p50, µs"},
                          {"p90, µs", "p90"},
                          {"p99, µs", "p99"},
                          {"p99.9, µs", "p99.9"},
                          {"max, µs", "max"}}};
  add_sides(shown, found.loads, [](const server_load& side) -> std::vector<cell> {
    return {value_cell(side.p50_us, microseconds_text), value_cell(side.p90_us, microseconds_text),
            value_cell(side.p99_us, microseconds_text),
            all_blocks_text(side.latency, &distribution::p999_us),
            all_blocks_text(side.latency, &distribution::max_us)};
  });
  return shown;
}

// Two lines per server: times from when a message was due, and from when it was sent.
table open_loop_table(const results& found) {
  table shown{.title = "Loaded alone, open loop: latency",
              .note =
                  "Messages are due at a fixed rate; times are from when a message was due "
                  "(response), and from when it was sent (service). p99.9 and max: of all "
                  "blocks together. A server that answers under 99 % is saturated and has no "
                  "latency.",
              .columns = {scenario_column,
                          server_column,
                          {"asked/s", "asked/s"},
                          {"answered"},
                          {"from", "from", column_kind::word},
                          {"p50, µs", "p50, µs"},
                          {"p99, µs", "p99"},
                          {"p99.9, µs", "p99.9"},
                          {"max, µs"},
                          {"client late p99, µs"}}};
  const auto add = [&](const open_row& row, const server_response& side, const char* from,
                       const estimate& p50, const estimate& p99,
                       const std::optional<distribution>& all, const cell& late) {
    shown.rows.push_back({row.scenario.text(), side.server, count_text(row.rate_per_second.value),
                          percent_text(side.answered) + (side.saturated ? ", saturated" : ""), from,
                          response_cell(side, p50), response_cell(side, p99),
                          all_blocks_text(all, &distribution::p999_us),
                          all_blocks_text(all, &distribution::max_us), late});
  };
  for (const auto& row : found.open_loops)
    for (const auto* side : {&row.contender, &row.base}) {
      add(row, *side, "due", side->response_p50_us, side->response_p99_us, side->response,
          response_cell(*side, side->late_p99_us));
      add(row, *side, "sent", side->service_p50_us, side->service_p99_us, side->service, "");
    }
  return shown;
}

table memory_table(const results& found) {
  table shown{.title = "Memory per connection",
              .note = "Slope of PSS over open connections that have each echoed once.",
              .columns = {server_column,
                          {"KiB per connection", "KiB"},
                          {"PSS of the process", "", column_kind::word}}};
  for (const auto& row : found.memory)
    shown.rows.push_back({row.server, memory_text(row), samples_text(row)});
  return shown;
}

table kernel_table(const std::vector<kernel_row>& rows) {
  table shown{.title = "Asked of the kernel, per message",
              .note = "One server loaded at a time.",
              .columns = {scenario_column,
                          server_column,
                          {"system calls", "system calls"},
                          {"context switches", "context switches"}}};
  for (const auto& row : rows)
    shown.rows.push_back({row.scenario.text(), row.server, calls_text(row.system_calls),
                          calls_text(row.context_switches)});
  return shown;
}

// The title names what would be equal in every line.
table block_table(const cost_row& row) {
  table shown{.title = fmt::format("{}, {}: CPU per message in every {} block", row.scenario.text(),
                                   pair_title(row.comparison), block_word(row.decided_by)),
              .columns = {{"round"}, {"first, ns"}, {"second, ns"}, {"floor, ns"}, {"ratio"}}};
  for (const auto& each : row.blocks)
    shown.rows.push_back({std::to_string(std::int64_t{each.round} + 1), ns_text(each.contender_ns),
                          ns_text(each.base_ns), each.floor_ns ? ns_text(*each.floor_ns) : "n/a",
                          ratio_text(each.ratio)});
  return shown;
}

table control_table(const control_row& row) {
  table shown{.columns = {{"round"}, {"first launch, ns"}, {"second launch, ns"}, {"ratio"}}};
  std::vector<double> logs;
  for (const auto& each : row.blocks) {
    shown.rows.push_back({std::to_string(std::int64_t{each.round} + 1), ns_text(each.base_ns),
                          ns_text(each.contender_ns), ratio_text(each.ratio)});
    logs.push_back(std::log(each.ratio));
  }
  shown.title =
      fmt::format("A/A control: {} against itself on {}{}", row.server, row.scenario.text(),
                  row.kind == block_kind::duet ? "" : ", loaded alone");
  shown.note = fmt::format("Spread {} over {} blocks.", percent_text(spread(logs)), logs.size());
  return shown;
}

table server_table(const run_header& header) {
  table shown{.title = "The servers",
              .columns = {server_column,
                          {"started as", "", column_kind::code},
                          {"said of itself", "", column_kind::code},
                          {"prefix", "", column_kind::word}}};
  for (const auto& server : header.servers)
    shown.rows.push_back(
        {server.name,
         server.target ? "not started here, at " + *server.target : printable(server.command),
         announced_text(server), server.prefix ? prefix_text(*server.prefix) : "not recorded"});
  return shown;
}

}  // namespace bench
