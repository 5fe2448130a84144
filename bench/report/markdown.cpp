// report.md: for the summary of a CI job or for a pull request.
#include <fmt/format.h>

#include <algorithm>
#include <bench/report/by_host/host_table.hpp>
#include <bench/report/forms.hpp>
#include <bench/report/rates/curve_tables.hpp>
#include <bench/report/tables.hpp>
#include <bench/report/trust.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace bench {
namespace {

// In a table, | ends a cell even inside a code span, unless it is escaped.
std::string cell_text(const column& in, const std::string& text) {
  if (in.kind == column_kind::marked) return text;
  if (in.kind != column_kind::code) return markdown_text(text);
  std::string escaped;
  for (const char each : text) escaped += each == '|' ? "\\|" : std::string{each};
  return markdown_code(escaped);
}

std::string titled(const table& shown) {
  if (shown.rows.empty()) return {};
  return fmt::format("\n### {}\n\n{}{}", markdown_text(shown.title),
                     shown.note.empty() ? "" : markdown_text(shown.note) + "\n\n",
                     markdown_table(shown));
}

std::string facts_list(const std::vector<fact>& facts) {
  std::string text;
  for (const auto& each : facts)
    text += fmt::format("- **{}**: {}\n", each.label, markdown_text(each.text));
  return text;
}

std::string caveat_list(const results& found) {
  std::string text = "\n### Caveats\n\n";
  if (found.caveats.empty()) text += "None.\n";
  for (const auto& each : sentences_of(found.caveats))
    text += fmt::format("- {}\n", markdown_text(each));
  return text;
}

}  // namespace

// Leaves _ alone: within a word, as in io_uring, it has no meaning.
std::string markdown_text(std::string_view text) {
  std::string escaped;
  for (const char each : text) {
    if (each == '&')
      escaped += "&amp;";
    else if (each == '<')
      escaped += "&lt;";
    else if (each == '\n')
      escaped += ' ';
    else
      escaped += std::string_view{"\\`*|"}.find(each) == std::string_view::npos
                     ? std::string{each}
                     : fmt::format("\\{}", each);
  }
  return escaped;
}

std::string markdown_code(std::string_view text) {
  std::size_t longest = 0, run = 0;
  for (const char each : text) {
    run = each == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  const std::string fence(longest + 1, '`');
  const auto* space = text.starts_with('`') || text.ends_with('`') ? " " : "";
  return fmt::format("{}{}{}{}{}", fence, space, text, space, fence);
}

std::string markdown_table(const table& shown) {
  if (shown.rows.empty()) return {};
  std::string head = "|", rule = "|", rows;
  for (const auto& each : shown.columns) {
    head += fmt::format(" {} |", cell_text({}, each.heading));
    rule += each.kind == column_kind::number ? "---:|" : "---|";
  }
  for (const auto& row : shown.rows) {
    rows += '|';
    for (std::size_t i = 0; i < row.size(); ++i)
      rows += fmt::format(" {} |", cell_text(shown.columns[i], row[i].text));
    rows += '\n';
  }
  return fmt::format("{}\n{}\n{}", head, rule, rows);
}

std::string markdown_report(const run_header& header, const results& found) {
  std::string text = "## echobench\n\n";
  if (found.headlines.empty()) text += "No block was measured.\n\n";
  for (const auto& sentence : found.headlines) text += markdown_text(sentence) + ".\n\n";
  text += "Intervals are 95 %.\n" + titled(matrix_table(found));
  for (const auto& pair : pairs_of(found))
    text += titled(verdict_table(found, pair)) + titled(overhead_table(found, pair)) +
            titled(throughput_ratio_table(found, pair)) + titled(latency_ratio_table(found, pair));
  for (const auto& curve : curves_of(found))
    text += titled(curve_cost_table(curve)) + titled(curve_latency_table(curve));
  for (const auto& each : {throughput_table(found), latency_table(found), open_loop_table(found),
                           host_table(found), memory_table(found), kernel_table(found.kernel)})
    text += titled(each);
  text += "\n### Can I trust this?\n\n" + facts_list(trust_facts(header, found));
  text += caveat_list(found);
  return text + "\n### Environment\n\n" + facts_list(environment_facts(header));
}

}  // namespace bench
