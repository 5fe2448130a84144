// Prints a comparison as Markdown for a CI job's summary or a pull request.
#include <fmt/format.h>

#include <bench/compare/compare.hpp>
#include <bench/compare/tables.hpp>
#include <bench/contract/printable.hpp>
#include <bench/report/forms.hpp>
#include <bench/text/numbers.hpp>

namespace bench {
namespace {

std::string gate_line(const run_comparison& change) {
  if (!change.gate) return {};
  const auto* word = change.result == gate_result::passed   ? "passed"
                     : change.result == gate_result::failed ? "**failed**"
                                                            : "**inconclusive**";
  auto text = fmt::format("Gate {}, the first run against the last: {}.\n",
                          percent_text(*change.gate), word);
  for (const auto& each : change.gate_caveats) text += fmt::format("- {}\n", markdown_text(each));
  return text + '\n';
}

}  // namespace

std::string comparison_markdown(const run_comparison& change) {
  std::string text = "## echobench compare\n\n" + gate_line(change);
  for (std::size_t i = 0; i < change.runs.size(); ++i)
    text += fmt::format("{}. {}\n", i + 1, markdown_code(printable(change.runs[i])));
  const auto changes = change_table(change);
  text +=
      fmt::format("\n{}.{}{}\n\n{}", markdown_text(changes.title), changes.note.empty() ? "" : " ",
                  markdown_text(changes.note), markdown_table(changes));
  if (!change.machine_differences.empty())
    text += "\nThe machine or the build differs: ratios may be compared, raw numbers not.\n";
  if (!change.notes.empty()) text += "\n### Notes\n\n";
  for (const auto& note : change.notes) text += fmt::format("- {}\n", markdown_text(note));
  return text;
}

}  // namespace bench
