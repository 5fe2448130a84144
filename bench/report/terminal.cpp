// The summary on standard output: sentences first, then a forest plot made of characters, and the
// doubts last, where they are still on the screen. Nothing here depends on colour.
#include <fmt/format.h>

#include <algorithm>
#include <bench/report/forms.hpp>
#include <bench/report/trust.hpp>
#include <bench/text/forest_line.hpp>
#include <bench/text/numbers.hpp>
#include <bench/text/wrapped.hpp>
#include <string>
#include <vector>

namespace bench {
namespace {

constexpr int scenario_width = 13;
constexpr int ratio_width = 22;
constexpr int word_width = 13;
constexpr int server_width = 21;
constexpr int overhead_width = 24;

std::string two_places(double number) {
  return fmt::format("{:.2f}", number);
}

std::string scenario_cell(const scenario& load) {
  return name_cell(load.text(), scenario_width, 0);
}

std::string server_cell(const std::string& name) {
  return name_cell(name, server_width, scenario_width);
}

std::string coloured_word(finding what, const style& shown) {
  const auto padded = fmt::format("{:<{}}", word_of(what), word_width);
  if (!shown.colour) return padded;
  switch (what) {  // blue and yellow: told apart by every eye
    case finding::cheaper:
      return "\x1b[1;36m" + padded + "\x1b[0m";
    case finding::dearer:
      return "\x1b[1;33m" + padded + "\x1b[0m";
    case finding::conflict:
      return "\x1b[1;35m" + padded + "\x1b[0m";
    default:
      return padded;
  }
}

std::string forest_of(const std::vector<const cost_row*>& rows, const style& shown) {
  const int left = scenario_width + ratio_width + word_width;
  std::vector<estimate> ratios;
  for (const auto* row : rows) ratios.push_back(row->ratio);
  const forest_scale scale{ratios, shown.width - left - 1, shown.unicode};
  std::string text = std::string(static_cast<std::size_t>(left), ' ') + scale.axis() + '\n';
  for (const auto* row : rows)
    text += fmt::format(
        "{}{:<{}}{}{}\n", scenario_cell(row->scenario),
        row->ratio.range ? interval_text(row->ratio, ratio_text) : ratio_text(row->ratio.value),
        ratio_width, coloured_word(row->verdict.what, shown), scale.line(row->ratio));
  return text;
}

// What one word cannot say; rows of which the same is to be said share a sentence.
std::string longer_verdicts(const std::vector<const cost_row*>& rows, const style& shown) {
  std::vector<std::pair<std::string, std::string>> names_of;  // of the words
  for (const auto* row : rows) {
    if (row->verdict.what == finding::cheaper || row->verdict.what == finding::dearer) continue;
    const auto same = std::find_if(names_of.begin(), names_of.end(), [&](const auto& each) {
      return each.first == row->verdict.words;
    });
    if (same == names_of.end())
      names_of.emplace_back(row->verdict.words, row->scenario.text());
    else
      same->second += ", " + row->scenario.text();
  }
  std::string text;
  for (const auto& [words, names] : names_of)
    text += wrapped(fmt::format("{}: {}", names, words), shown.width, scenario_width);
  return text;
}

std::string overhead_cell(const std::optional<estimate>& overhead) {
  return overhead->range ? interval_text(overhead, ns_text) : ns_text(overhead->value);
}

std::string ratio_cell(const cost_row& row) {
  const auto& ratio = row.overhead_ratio;
  if (!ratio) return "n/a";
  return ratio->range ? interval_text(ratio, two_places) : two_places(ratio->value);
}

// The servers name the columns where their names fit.
std::string overheads_head(const cost_row& row, const style& shown) {
  const auto& [first, second] = std::pair{row.contender.server, row.base.server};
  const auto what = "ns a message above " + row.comparison.floor.value_or("the bare loop");
  if (std::max(first.size(), second.size()) < overhead_width)
    return fmt::format("\n{}\n{:<{}}{:<{}}{:<{}}ratio\n", what, "", scenario_width, first,
                       overhead_width, second, overhead_width);
  return '\n' +
         wrapped(fmt::format("{}: {}, {}, and the ratio", what, first, second), shown.width, 2);
}

std::string overheads_of(const std::vector<const cost_row*>& rows, const style& shown) {
  std::string text;
  for (const auto* row : rows)
    if (row->contender.overhead_ns && row->base.overhead_ns)
      text += fmt::format("{}{:<{}}{:<{}}{}\n", scenario_cell(row->scenario),
                          overhead_cell(row->contender.overhead_ns), overhead_width,
                          overhead_cell(row->base.overhead_ns), overhead_width, ratio_cell(*row));
  return text.empty() ? text : overheads_head(*rows.front(), shown) + text;
}

std::string_view decided_text(const std::vector<const cost_row*>& rows) {
  const bool duet = rows.front()->decided_by == block_kind::duet;
  return duet ? "" : "; from exclusive blocks";
}

std::string cost_text(const results& found, const comparison& pair, const style& shown) {
  const auto rows = costs_of(found, pair);
  const auto& said = rows.front()->verdict;
  if (said.what == finding::unmeasured)
    return '\n' + wrapped(fmt::format("CPU per message, {} / {}: {}", pair.contender, pair.base,
                                      said.words),
                          shown.width, 2);
  return '\n' +
         wrapped(fmt::format("CPU per message, {} / {}; below 1: {} is cheaper{}", pair.contender,
                             pair.base, pair.contender, decided_text(rows)),
                 shown.width, 2) +
         forest_of(rows, shown) + longer_verdicts(rows, shown) + overheads_of(rows, shown);
}

std::string us(const estimate& time) {
  return time.n > 0 ? microseconds_text(time.value) : "n/a";
}

std::string loads_of(const results& found) {
  if (found.loads.empty()) return {};
  std::string text = fmt::format(
      "\nLoaded alone, closed loop; under churn connections/s\n{:<{}}{:<21}{:>23}{:>7}{:>10}\n", "",
      scenario_width, "", "messages/s", "client", "p50 us");
  for (const auto& row : found.loads)
    for (const auto* side : {&row.contender, &row.base})
      text += fmt::format(
          "{}{}{:>23}{:>5.0f} %{:>10}{}\n", scenario_cell(row.scenario), server_cell(side->server),
          side->messages_per_second.range ? interval_text(side->messages_per_second, count_text)
                                          : count_text(side->messages_per_second.value),
          100 * side->client_utilisation, us(side->p50_us), side->client_limited ? " limit" : "");
  return text;
}

std::string open_loops_of(const results& found, const style& shown) {
  if (found.open_loops.empty()) return {};
  auto text = '\n' + wrapped(
                         "Loaded alone, open loop: due at a fixed rate; us from when due "
                         "(response) and from when sent (service)",
                         shown.width, 2);
  text += fmt::format("{:<{}}{:<21}{:>9}{:>13}{:>8}{:>9}{:>7}\n", "", scenario_width, "", "asked/s",
                      "response p50", "p99", "service", "p99");
  for (const auto& row : found.open_loops)
    for (const auto* side : {&row.contender, &row.base}) {
      text += fmt::format("{}{}{:>9}", scenario_cell(row.scenario), server_cell(side->server),
                          count_text(row.rate_per_second.value));
      text += side->saturated
                  ? fmt::format("   saturated: answered {}\n", percent_text(side->answered))
                  : fmt::format("{:>13}{:>8}{:>9}{:>7}\n", us(side->response_p50_us),
                                us(side->response_p99_us), us(side->service_p50_us),
                                us(side->service_p99_us));
    }
  return text;
}

std::string memory_of(const results& found) {
  if (found.memory.empty()) return {};
  std::string text = "\nMemory a connection, KiB (slope of PSS)\n";
  std::size_t width = 24;
  for (const auto& row : found.memory) width = std::max(width, row.server.size() + 1);
  for (const auto& row : found.memory)
    text += fmt::format("  {:<{}}{:>8}\n", row.server, width, memory_text(row));
  return text;
}

std::string kernel_of(const results& found) {
  if (found.kernel.empty()) return {};
  const auto rows = leading_kernel_rows(found);
  if (rows.empty()) return {};
  std::size_t width = 24;
  for (const auto* row : rows) width = std::max(width, row->server.size() + 1);
  auto text = fmt::format("\n{:<{}}{:>15}{:>18}\n", "A message on " + rows.front()->scenario.text(),
                          width + 2, "system calls", "context switches");
  for (const auto* row : rows)
    text += fmt::format("  {:<{}}{:>15}{:>18}\n", row->server, width, calls_text(row->system_calls),
                        calls_text(row->context_switches));
  return text;
}

std::string trust_of(const run_header& header, const results& found, const style& shown) {
  std::string text = "\n";
  for (const auto& each : trust_facts(header, found))
    text += wrapped(each.label + ": " + each.text, shown.width, 2);
  if (found.caveats.empty()) return text + "Caveats: none\n";
  text += "Caveats:\n";
  for (const auto& doubt : sentences_of(found.caveats))
    text += wrapped("- " + doubt, shown.width, 2);
  return text;
}

}  // namespace

std::string forest_text(const results& found, const style& given, int lines) {
  auto shown = given;
  shown.width = std::clamp(given.width, 60, 160);
  std::string text;
  for (const auto& pair : pairs_of(found)) {
    const auto plot = pair_title(pair) + '\n' + forest_of(costs_of(found, pair), shown);
    lines -= static_cast<int>(std::count(plot.begin(), plot.end(), '\n'));
    if (lines < 0) break;
    text += plot;
  }
  return text;
}

std::string terminal_report(const run_header& header, const results& found, const style& given) {
  auto shown = given;
  shown.width = std::clamp(given.width, 60, 160);
  std::string text;
  if (found.headlines.empty()) text += "No block was measured.\n";
  for (const auto& sentence : found.headlines) text += wrapped(sentence + ".", shown.width, 2);
  for (const auto& pair : pairs_of(found)) text += cost_text(found, pair, shown);
  text += loads_of(found) + open_loops_of(found, shown) + memory_of(found) + kernel_of(found) +
          trust_of(header, found, shown);
  return text;
}

}  // namespace bench
