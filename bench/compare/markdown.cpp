// Prints a comparison as Markdown for a CI job's summary or a pull request.
#include <fmt/format.h>

#include <bench/compare/compare.hpp>
#include <bench/compare/tables.hpp>
#include <bench/contract/printable.hpp>
#include <bench/report/forms.hpp>
#include <bench/text/numbers.hpp>

namespace bench {
namespace {

std::string gate_lines(const run_comparison& change) {
  if (!change.gate) return {};
  auto text = fmt::format("**{}**\n\n", markdown_text(gate_text(*change.gate, change.result)));
  for (const auto& each : change.gate->reasons) text += fmt::format("- {}\n", markdown_text(each));
  return text + '\n';
}

std::string table_text(const table& shown) {
  if (shown.rows.empty()) return {};
  return fmt::format("\n{}.{}{}\n\n{}", markdown_text(shown.title), shown.note.empty() ? "" : " ",
                     markdown_text(shown.note), markdown_table(shown));
}

}  // namespace

std::string comparison_markdown(const run_comparison& change) {
  std::string text = "## echobench compare\n\n" + gate_lines(change);
  for (std::size_t i = 0; i < change.runs.size(); ++i)
    text += fmt::format("{}. {}\n", i + 1, markdown_code(printable(change.runs[i])));
  text += table_text(mean_table(change));
  for (const auto what : quantities_of(change)) text += table_text(change_table(change, what));
  if (!change.machine_differences.empty())
    text += "\nThe machine or the build differs: ratios may be compared, raw numbers not.\n";
  text += fmt::format("\n### Notes\n\n- {}\n", markdown_text(spread_text(change)));
  for (const auto& note : change.notes) text += fmt::format("- {}\n", markdown_text(note));
  return text;
}

}  // namespace bench
