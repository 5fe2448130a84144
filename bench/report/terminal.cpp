// The summary on standard output: sentences, and forest plots made of characters. What matters most
// comes last, where it stays visible. Nothing depends on colour.
#include <fmt/format.h>

#include <algorithm>
#include <bench/analysis/caveats.hpp>
#include <bench/analysis/headlines.hpp>
#include <bench/report/by_host/host_table.hpp>
#include <bench/report/forms.hpp>
#include <bench/report/rates/curve_tables.hpp>
#include <bench/report/tables.hpp>
#include <bench/report/trust.hpp>
#include <bench/server/catalogue.hpp>
#include <bench/text/forest_line.hpp>
#include <bench/text/numbers.hpp>
#include <bench/text/wrapped.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace bench {
namespace {

constexpr int scenario_width = 13;
constexpr int ratio_width = 22;
constexpr int word_width = 13;
constexpr int server_width = 21;

// Replaces µ by u if the terminal is not UTF-8.
std::string spelled(std::string text, const style& on) {
  constexpr std::string_view micro = "µ";
  if (on.unicode) return text;
  for (auto at = text.find(micro); at != std::string::npos; at = text.find(micro))
    text.replace(at, micro.size(), "u");
  return text;
}

// A line of a forest plot.
struct plotted {
  std::string name;
  estimate ratio;
  finding what;
};

std::string coloured_word(finding what, const style& shown) {
  auto padded = fmt::format("{:<{}}", word_of(what), word_width);
  if (!shown.colour) return padded;
  switch (what) {  // cyan and yellow: distinct also for the colour-blind
    case finding::lower:
      return "\x1b[1;36m" + padded + "\x1b[0m";
    case finding::higher:
      return "\x1b[1;33m" + padded + "\x1b[0m";
    case finding::conflict:
      return "\x1b[1;35m" + padded + "\x1b[0m";
    default:
      return padded;
  }
}

std::string forest_of(const std::vector<plotted>& rows, int name_width, const style& shown) {
  const int left = name_width + ratio_width + word_width;
  std::vector<estimate> ratios;
  for (const auto& row : rows) ratios.push_back(row.ratio);
  const forest_scale scale{ratios, shown.width - left - 1, shown.unicode};
  std::string text = std::string(static_cast<std::size_t>(left), ' ') + scale.axis() + '\n';
  for (const auto& [name, ratio, what] : rows)
    text += fmt::format("{}{:<{}}{}{}\n", name_cell(name, static_cast<std::size_t>(name_width), 0),
                        ratio.range ? interval_text(ratio, ratio_text) : ratio_text(ratio.value),
                        ratio_width, coloured_word(what, shown), scale.line(ratio));
  return text;
}

std::string forest_of(const std::vector<const cost_row*>& rows, const style& shown) {
  std::vector<plotted> lines;
  for (const auto* row : rows)
    lines.push_back({row->scenario.text(), row->ratio, row->verdict.what});
  return forest_of(lines, scenario_width, shown);
}

// The verdicts that need more than one word. Rows with the same words share a sentence.
std::string longer_verdicts(const std::vector<const cost_row*>& rows, const style& shown) {
  // Pairs of words and the names of their rows.
  std::vector<std::pair<std::string, std::string>> names_of;
  for (const auto* row : rows) {
    if (row->verdict.what == finding::lower || row->verdict.what == finding::higher) continue;
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

// Prints a table in columns as wide as their content, numbers aligned to the right. If that is too
// wide, long names take a line of their own; if it still is, the headings are printed as a
// paragraph.
class fitted_table {
 public:
  fitted_table(const table& shown, const style& on) : shown_{shown}, on_{on} {
    for (std::size_t i = 0; i < shown.columns.size(); ++i)
      if (!shown.columns[i].brief.empty()) columns_.push_back({i, 0});
    fit(true);
    if (room_left() < 0) fit(head_in_columns_ = false);
  }

  std::string text() const {
    auto text = head();
    for (const auto& row : shown_.rows) text += line([&](std::size_t i) { return row[i].brief; });
    return text;
  }

 private:
  static constexpr int gap = 2;
  static constexpr int narrowest_name = 10;

  struct fitted {
    std::size_t column;
    int width;
  };

  std::string heading(std::size_t column) const {
    return spelled(shown_.columns[column].brief, on_);
  }

  int room_left() const {
    int room = on_.width + gap;
    for (const auto& each : columns_) room -= each.width + gap;
    return room;
  }

  void fit(bool with_headings) {
    for (auto& [column, width] : columns_) {
      width = with_headings ? columns_of(heading(column)) : 0;
      for (const auto& row : shown_.rows) width = std::max(width, columns_of(row[column].brief));
    }
    for (auto& [column, width] : columns_)
      if (shown_.columns[column].kind == column_kind::name && room_left() < 0)
        width = std::max(narrowest_name, width + room_left());
  }

  std::string head() const {
    if (head_in_columns_) return line([this](std::size_t i) { return heading(i); });
    std::string names;
    for (const auto& each : columns_) names += (names.empty() ? "" : ", ") + heading(each.column);
    return wrapped(names, on_.width, 2);
  }

  template <class TextOf>
  std::string line(TextOf text_of) const {
    std::string line;
    std::size_t left = 0;
    for (const auto& [column, width] : columns_) {
      const auto text = text_of(column);
      const auto space = static_cast<std::size_t>(std::max(0, width - columns_of(text)));
      const auto whole = static_cast<std::size_t>(width) + std::size_t{gap};
      line += shown_.columns[column].kind == column_kind::number
                  ? std::string(space, ' ') + text + std::string(gap, ' ')
                  : name_cell(text, whole, left);
      left += whole;
    }
    return line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
  }

  const table& shown_;
  const style& on_;
  std::vector<fitted> columns_;
  bool head_in_columns_ = true;
};

// The lines above a table: its title and its note.
std::string caption_of(const table& shown, const style& on) {
  const auto whole = shown.note.empty() ? shown.title : shown.title + ". " + shown.note;
  return '\n' + wrapped(spelled(whole, on), on.width, 2);
}

std::string captioned(const table& shown, const style& on) {
  return shown.rows.empty() ? "" : caption_of(shown, on) + terminal_table(shown, on);
}

// The ratios of all servers, one line each.
std::string forest_of(const std::vector<matrix_row>& rows, const style& shown) {
  std::vector<plotted> lines;
  for (const auto& row : rows)
    if (row.verdict && row.cpu_ratio.missing.empty())
      lines.push_back({row.server, row.cpu_ratio.number, row.verdict->what});
  return lines.empty() ? "" : forest_of(lines, server_width, shown);
}

// Why cells have no number, one line for each reason.
std::string reasons_in(const table& shown, const style& on) {
  std::string text;
  for (const auto& row : shown.rows)
    for (std::size_t i = 0; i < row.size(); ++i) {
      if ((row[i].brief != "no" && row[i].brief != "n/a") || row[i].text == row[i].brief) continue;
      const auto reason =
          fmt::format("{}, {}: {}", row[0].text, shown.columns[i].heading, row[i].text);
      text += wrapped(spelled(reason, on), on.width, 2);
    }
  return text;
}

// The plot has the ratios, and the table below it everything else.
std::string matrix_text(const results& found, const style& on) {
  const auto shown = matrix_table(found);
  if (shown.rows.empty()) return {};
  return caption_of(shown, on) + forest_of(*found.matrix, on) + terminal_table(shown, on) +
         reasons_in(shown, on);
}

// True if the matrix has all that a plot of this pair would show.
bool stands_in_matrix(const results& found, const comparison& pair) {
  if (!found.matrix || found.matrix->empty() || found.matrix->front().base != pair.base)
    return false;
  const auto rows = costs_of(found, pair);
  return rows.size() == 1 && rows.front()->scenario == found.matrix->front().scenario;
}

std::string cost_text(const results& found, const comparison& pair, const style& shown) {
  const auto rows = costs_of(found, pair);
  const auto verdicts = verdict_table(found, pair);
  const auto& said = rows.front()->verdict;
  if (said.what == finding::unmeasured)
    return '\n' + wrapped(verdicts.title + ": " + said.words, shown.width, 2);
  return caption_of(verdicts, shown) + forest_of(rows, shown) + longer_verdicts(rows, shown) +
         captioned(overhead_table(found, pair), shown) +
         captioned(throughput_ratio_table(found, pair), shown) +
         captioned(latency_ratio_table(found, pair), shown);
}

std::string caveats_of(const results& found, const style& shown) {
  if (found.caveats.empty()) return "Caveats: none\n";
  std::string text = "Caveats:\n";
  for (const auto& each : sentences_of(found.caveats)) text += wrapped("- " + each, shown.width, 2);
  return text;
}

std::string trust_of(const run_header& header, const results& found, const style& shown) {
  std::string text = "\n";
  for (const auto& each : trust_facts(header, found))
    text += wrapped(each.label + ": " + each.text, shown.width, 2);
  return text + caveats_of(found, shown);
}

// Rows that have no number, or two that contradict each other: their word alone explains nothing.
std::string unclear_verdicts(std::vector<const cost_row*> rows, const style& shown) {
  std::erase_if(rows, [](const cost_row* row) {
    return row->verdict.what != finding::unmeasured && row->verdict.what != finding::conflict;
  });
  return longer_verdicts(rows, shown);
}

// The headlines say how what a control burnt was read.
bool is_read_in_headlines(const results& found) {
  return found.calibration && found.calibration->read_ns.range &&
         found.calibration->read_ns.range->low > 0;
}

// The facts without which no number means anything: how noisy the machine was, where load came from
// if not from here, and whether the run finds a difference that is there.
std::string briefest_trust(const run_header& header, const results& found, const style& shown) {
  std::string text;
  for (const auto& each : trust_facts(header, found))
    if (each.label == "Noise" || each.label == "Hosts" ||
        (each.label == "Injected cost" && !is_read_in_headlines(found)))
      text += wrapped(each.label + ": " + each.text, shown.width, 2);
  return text;
}

std::string sentences_text(const std::vector<std::string>& sentences, const style& shown) {
  std::string text;
  if (sentences.empty()) text += "No block was measured.\n";
  for (const auto& each : sentences) text += wrapped(each + ".", shown.width, 2);
  return text;
}

// Without the sentences about pairs that stand in the matrix, but for the first pair.
std::vector<std::string> remaining_headlines(const results& found) {
  if (!found.matrix) return found.headlines;
  auto remaining = found;
  const auto& first = found.costs.front().comparison;
  std::erase_if(remaining.costs, [&](const cost_row& row) {
    return row.comparison != first && stands_in_matrix(found, row.comparison);
  });
  return headlines_of(remaining);
}

}  // namespace

std::string terminal_table(const table& shown, const style& on) {
  return shown.rows.empty() ? "" : fitted_table{shown, on}.text();
}

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
  auto text = sentences_text(found.headlines, shown) + matrix_text(found, shown);
  for (const auto& pair : pairs_of(found)) text += cost_text(found, pair, shown);
  for (const auto& curve : curves_of(found))
    text +=
        captioned(curve_cost_table(curve), shown) + captioned(curve_latency_table(curve), shown);
  for (const auto& each :
       {throughput_table(found), latency_table(found), open_loop_table(found), host_table(found),
        memory_table(found), kernel_table(leading_kernel_rows(found))})
    text += captioned(each, shown);
  return text + trust_of(header, found, shown);
}

std::string terminal_summary(const run_header& header, const results& found, const style& given) {
  if (leading_row(found) == nullptr && ruin_of(found).empty())
    return terminal_report(header, found, given);
  auto shown = given;
  shown.width = std::clamp(given.width, 60, 160);
  std::string text;
  const auto pairs = pairs_of(found);
  for (const auto& pair : pairs) {
    if (injected_ns(pair.contender) && pairs.size() > 1) continue;
    if (stands_in_matrix(found, pair)) continue;
    const auto rows = costs_of(found, pair);
    const auto& said = rows.front()->verdict;
    const auto title = verdict_table(found, pair).title;
    text += said.what == finding::unmeasured
                ? wrapped(title + ": " + said.words, shown.width, 2)
                : wrapped(title + " (below 1: less)", shown.width, 2) + forest_of(rows, shown) +
                      unclear_verdicts(rows, shown);
    text += '\n';
  }
  for (const auto& curve : curves_of(found))
    text += wrapped(curve_cost_table(curve).title + " (below 1: less)", shown.width, 2) +
            terminal_table(curve_cost_table(curve), shown) + '\n';
  return text + briefest_trust(header, found, shown) + caveats_of(found, shown) +
         matrix_text(found, shown) + '\n' + sentences_text(remaining_headlines(found), shown);
}

}  // namespace bench
