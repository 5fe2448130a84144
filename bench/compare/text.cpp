// Prints a comparison for the terminal.
#include <fmt/format.h>

#include <algorithm>
#include <bench/compare/compare.hpp>
#include <bench/compare/tables.hpp>
#include <bench/report/forms.hpp>
#include <bench/text/numbers.hpp>
#include <bench/text/wrapped.hpp>

namespace bench {
namespace {

constexpr std::size_t scenario_width = 11;
constexpr std::size_t server_width = 22;

std::string row_begin(const std::string& scenario, const std::string& server) {
  return name_cell(scenario, scenario_width, 0) + name_cell(server, server_width, scenario_width);
}

// One line per mean and per row in which a difference is named; the others stand in the tables.
std::string answers(const run_comparison& change, int width) {
  std::string text;
  for (const auto& row : change.means)
    text += wrapped(fmt::format("{} of {} against {}, {} loads: {}", name_of(row.what), row.server,
                                row.anchor, row.loads, row.judged.words),
                    width, 2);
  for (const auto& row : change.rows) {
    const bool only_one =
        std::none_of(change.means.begin(), change.means.end(), [&](const mean_row& mean) {
          return mean.what == row.about.what && mean.server == row.about.server &&
                 mean.anchor == row.about.anchor;
        });
    if (only_one || row.judged.holm_p < significance)
      text += wrapped(fmt::format("{}: {}", text_of(row.about), row.judged.words), width, 2);
  }
  return text;
}

std::string measured_numbers(const run_comparison& change, const style& shown) {
  const auto measured = measured_table(change, quantity::cpu);
  if (measured.rows.empty()) return {};
  auto text = '\n' + wrapped(measured.title + ". " + measured.note, shown.width, 2);
  for (const auto& each : change.machine_differences) text += wrapped("- " + each, shown.width, 2);
  return text + terminal_table(measured, shown);
}

std::string runs_text(const run_comparison& change, int width) {
  if (change.runs.size() == 2)
    return wrapped("before: " + change.runs.front(), width, 2) +
           wrapped("after: " + change.runs.back(), width, 2);
  std::string text;
  for (std::size_t i = 0; i < change.runs.size(); ++i)
    text += wrapped(fmt::format("{}: {}", i + 1, change.runs[i]), width, 2);
  return text;
}

// The cells of one row to the right of its names, on as many lines as the width requires.
std::string history_lines(const std::string& scenario, const std::string& server,
                          const std::vector<std::string>& cells, int width) {
  constexpr int cell_width = 8;
  constexpr int names = scenario_width + server_width;
  const auto a_line = static_cast<std::size_t>(std::max(1, (width - names) / cell_width));
  std::string text;
  for (std::size_t i = 0; i < cells.size(); i += a_line) {
    std::string line = i == 0 ? row_begin(scenario, server) : std::string(names, ' ');
    for (std::size_t at = i; at < std::min(i + a_line, cells.size()); ++at)
      line += fmt::format("{:>{}}", cells[at], cell_width);
    text += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
  }
  return text;
}

std::string history_text(const run_comparison& change, int width) {
  if (change.runs.size() < 3) return {};
  std::vector<std::string> numbers;
  for (std::size_t i = 1; i <= change.runs.size(); ++i) numbers.push_back(fmt::format("{} ", i));
  auto text = '\n' +
              wrapped(
                  "CPU per message as a multiple of the anchor, run by run; * a step to another "
                  "level since the run before, - not measured",
                  width, 2) +
              history_lines("scenario", "server", numbers, width);
  for (const auto& row : change.rows) {
    if (row.about.what != quantity::cpu) continue;
    std::vector<std::string> cells;
    for (const auto& each : row.points)
      cells.push_back(each ? ratio_text(each->ratio) + (each->stepped ? "*" : " ") : "- ");
    text += history_lines(row.about.scenario, row.about.server, cells, width);
  }
  return text +
         fmt::format("\nRuns 1 to {} against run {}\n", change.runs.size() - 1, change.runs.size());
}

std::string gate_lines(const run_comparison& change, int width) {
  if (!change.gate) return {};
  auto text = '\n' + wrapped(gate_text(*change.gate, change.result), width, 2);
  for (const auto& each : change.gate->reasons) text += wrapped("- " + each, width, 2);
  return text;
}

std::string tables_text(const run_comparison& change, const style& shown) {
  std::string text;
  for (const auto what : quantities_of(change)) {
    const auto changes = change_table(change, what);
    text += fmt::format("\n{}; change below 0: now lower\n", changes.title) +
            terminal_table(changes, shown);
  }
  return text;
}

std::string notes_text(const run_comparison& change, int width) {
  auto text = "\nNotes:\n" + wrapped("- " + spread_text(change), width, 2);
  for (const auto& note : change.notes) text += wrapped("- " + note, width, 2);
  return text;
}

}  // namespace

std::string comparison_text(const run_comparison& change, const style& given) {
  auto shown = given;
  shown.width = std::clamp(given.width, 60, 160);
  return runs_text(change, shown.width) + history_text(change, shown.width) +
         tables_text(change, shown) + measured_numbers(change, shown) +
         notes_text(change, shown.width) + '\n' + answers(change, shown.width) +
         gate_lines(change, shown.width);
}

void print_comparison(std::FILE* out, const run_comparison& change, const style& shown) {
  fmt::print(out, "{}", comparison_text(change, shown));
}

}  // namespace bench
