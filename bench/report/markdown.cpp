// report.md: for the summary of a CI job or a pull request.
#include <fmt/format.h>

#include <bench/report/forms.hpp>
#include <bench/report/markdown_text.hpp>
#include <bench/report/trust.hpp>
#include <bench/text/numbers.hpp>
#include <string>

namespace bench {
namespace {

std::string cost_table(const results& found, const comparison& pair) {
  auto text =
      fmt::format("\n### {}\n\n", pair_title(pair)) +
      markdown_head({"scenario", "CPU per message, ratio", "verdict",
                     pair.contender + ", ns above the floor", pair.base + ", ns above the floor"});
  for (const auto* row : costs_of(found, pair))
    text += markdown_row({fmt::format("`{}`", row->scenario.text()),
                          interval_text(row->ratio, ratio_text), row->verdict.words,
                          interval_text(row->contender.overhead_ns, ns_text),
                          interval_text(row->base.overhead_ns, ns_text)});
  return text;
}

std::string load_table(const results& found) {
  if (found.loads.empty()) return {};
  auto text =
      "\n### Loaded alone, closed loop\n\n" +
      markdown_head({"scenario", "server", "messages/s (churn: connections/s)", "client's core",
                     "p50 us", "p90 us", "p99 us", "p99.9 us, all blocks", "max us"});
  for (const auto& row : found.loads)
    for (const auto* side : {&row.contender, &row.base})
      text += markdown_row({fmt::format("`{}`", row.scenario.text()), side->server,
                            interval_text(side->messages_per_second, count_text),
                            fmt::format("{:.0f} %{}", 100 * side->client_utilisation,
                                        side->client_limited ? ", client-limited" : ""),
                            interval_text(side->p50_us, microseconds_text),
                            interval_text(side->p90_us, microseconds_text),
                            interval_text(side->p99_us, microseconds_text),
                            microseconds_text(side->latency, &distribution::p999_us),
                            microseconds_text(side->latency, &distribution::max_us)});
  return text;
}

std::string response_text(const server_response& of, const estimate& shown) {
  return of.saturated ? "saturated" : interval_text(shown, microseconds_text);
}

std::string open_loop_table(const results& found) {
  if (found.open_loops.empty()) return {};
  auto text =
      "\n### Loaded alone, open loop\n\nMessages are due at a fixed rate, whether or not the "
      "server "
      "keeps up. Response: from when a message was due. Service: from when it was sent.\n\n" +
      markdown_head({"scenario", "server", "asked, messages/s", "answered", "response p50 us",
                     "response p99 us", "response p99.9 us, all blocks", "response max us",
                     "service p50 us", "service p99 us", "client late p99 us"});
  for (const auto& row : found.open_loops)
    for (const auto* side : {&row.contender, &row.base})
      text += markdown_row(
          {fmt::format("`{}`", row.scenario.text()), side->server,
           count_text(row.rate_per_second.value), percent_text(side->answered),
           response_text(*side, side->response_p50_us), response_text(*side, side->response_p99_us),
           microseconds_text(side->response, &distribution::p999_us),
           microseconds_text(side->response, &distribution::max_us),
           response_text(*side, side->service_p50_us), response_text(*side, side->service_p99_us),
           response_text(*side, side->late_p99_us)});
  return text;
}

std::string memory_table(const results& found) {
  if (found.memory.empty()) return {};
  auto text = "\n### Memory\n\n" + markdown_head({"server", "KiB a connection"});
  for (const auto& row : found.memory) text += markdown_row({row.server, memory_text(row)});
  return text;
}

std::string kernel_table(const results& found) {
  if (found.kernel.empty()) return {};
  auto text = "\n### Asked of the kernel, a message\n\n" +
              markdown_head({"scenario", "server", "system calls", "context switches"});
  for (const auto& row : found.kernel)
    text += markdown_row({fmt::format("`{}`", row.scenario.text()), row.server,
                          calls_text(row.system_calls), calls_text(row.context_switches)});
  return text;
}

std::string facts_list(const std::vector<fact>& facts) {
  std::string text;
  for (const auto& each : facts) text += fmt::format("- **{}**: {}\n", each.label, each.text);
  return text;
}

std::string caveat_list(const results& found) {
  std::string text = "\n### Caveats\n\n";
  if (found.caveats.empty()) text += "None.\n";
  for (const auto& doubt : sentences_of(found.caveats)) text += fmt::format("- {}\n", doubt);
  return text;
}

}  // namespace

std::string markdown_report(const run_header& header, const results& found) {
  std::string text = "## echobench\n\n";
  if (found.headlines.empty()) text += "No block was measured.\n\n";
  for (const auto& sentence : found.headlines) text += sentence + ".\n\n";
  text += "Intervals are 95 %. A ratio below 1 means that the first server is cheaper.\n";
  for (const auto& pair : pairs_of(found)) text += cost_table(found, pair);
  text += load_table(found) + open_loop_table(found) + memory_table(found) + kernel_table(found);
  text += "\n### Can I trust this?\n\n" + facts_list(trust_facts(header, found));
  text += caveat_list(found);
  text += "\n### Environment\n\n" + facts_list(environment_facts(header));
  return text;
}

}  // namespace bench
