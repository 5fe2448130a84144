// A comparison as one HTML file that needs no network and no script. Charts are drawn here, as SVG
// that stretches to the width of the window: all rows share an axis, so their zeros stand under
// each other.
#include <fmt/format.h>

#include <algorithm>
#include <bench/compare/compare.hpp>
#include <bench/compare/tables.hpp>
#include <bench/contract/printable.hpp>
#include <bench/report/page/elements.hpp>
#include <bench/report/page/style.hpp>
#include <bench/text/numbers.hpp>
#include <cmath>

namespace bench {
namespace {

constexpr double chart_width = 1000;  // of each chart, whatever the window's

constexpr std::string_view own_style =
    ".rows{display:grid;gap:.5rem}.rows p{margin:0;font-size:.875rem}"
    ".rows svg{display:block;width:100%;background:var(--soft)}"
    ".rows line,.rows polyline{stroke:var(--contender);stroke-width:2;fill:none;"
    "vector-effect:non-scaling-stroke}"
    ".rows .zero{stroke:var(--muted);stroke-width:1}"
    ".rows .gate{stroke:var(--base);stroke-width:1;stroke-dasharray:4 3}"
    ".rows .here{stroke-width:5}.rows .step{stroke:var(--base)}"
    ".rows rect{fill:var(--band)}"
    ".wide{overflow-x:auto}";

std::string line(double x1, double y1, double x2, double y2, std::string_view style = {}) {
  return fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" class=\"{}\"/>",
                     x1, y1, x2, y2, style);
}

std::string chart(double height, const std::string& marks) {
  return fmt::format(
      "<svg viewBox=\"0 0 {:.0f} {:.0f}\" height=\"{:.0f}\" preserveAspectRatio=\"none\" "
      "aria-hidden=\"true\">{}</svg>",
      chart_width, height, height, marks);
}

// "+0.4 % [-0.7, +1.5]", and what is said of it where that is more than the interval says.
std::string change_words(const judged_change& judged) {
  auto text = fmt::format("{:+.1f} % [{:+.1f}, {:+.1f}]", 100 * judged.change,
                          100 * judged.range.low, 100 * judged.range.high);
  if (!judged.words.starts_with("no change shown")) text += ", " + judged.words;
  return text;
}

// The forest of changes: 0 in the middle, the widest interval from edge to edge.
class forest {
 public:
  explicit forest(const run_comparison& change) : gate_{change.gate} {
    const auto reach = [&](const judged_change& each) {
      reach_ = std::max({reach_, std::abs(each.range.low), std::abs(each.range.high)});
    };
    for (const auto& row : change.means) reach(row.judged);
    for (const auto& row : change.rows) reach(row.judged);
    if (gate_) reach_ = std::max(reach_, gate_->limit);
  }

  // `gated`: the gate is about this quantity.
  std::string row(const std::string& label, const judged_change& judged, bool gated) const {
    constexpr double height = 14, middle = height / 2;
    auto marks = line(x(0), 0, x(0), height, "zero");
    if (gate_ && gated) marks += line(x(gate_->limit), 0, x(gate_->limit), height, "gate");
    marks += line(x(judged.range.low), middle, x(judged.range.high), middle);
    marks += line(x(judged.change), 2, x(judged.change), height - 2, "here");
    return element("div", element("p", escaped_sentence(label + ": " + change_words(judged))) +
                              chart(height, marks));
  }

  std::string note() const {
    return fmt::format(
        "Left of the middle line a value is lower than before, right of it higher; the chart ends "
        "at {}. Each line is a 95 % interval, the thick mark the estimate.{}",
        percent_text(reach_),
        gate_ ? fmt::format(" The broken line is the gate at {}, for the mean of CPU per message.",
                            percent_text(gate_->limit))
              : "");
  }

 private:
  double x(double change) const { return chart_width / 2 * (1 + change / reach_); }

  std::optional<compare_gate> gate_;
  double reach_ = 0.01;
};

std::string forest_section(const run_comparison& change) {
  const forest drawn{change};
  std::string groups;
  for (const auto what : quantities_of(change)) {
    const bool gated = what == quantity::cpu;
    std::string rows;
    for (const auto& each : change.means)
      if (each.what == what)
        rows += drawn.row(fmt::format("{}, mean of {} loads", each.server, each.loads), each.judged,
                          gated);
    for (const auto& each : change.rows)
      if (each.about.what == what)
        rows += drawn.row(
            each.about.server + (each.about.scenario.empty() ? "" : " on ") + each.about.scenario,
            each.judged, gated);
    groups += element("h3", escaped(change_table(change, what).title)) +
              element("div", rows, "class=\"rows\"");
  }
  return open_part("changes", "What changed", drawn.note(), groups).html;
}

// The ratio over the runs, above a ribbon of what equal programs do: the mean of the earlier runs,
// and 95 % of what moves between runs around it.
std::string history_chart(const change_row& row, double spread) {
  constexpr double height = 60;
  double low = row.ratio_before * std::exp(-2 * spread);
  double high = row.ratio_before * std::exp(2 * spread);
  const double ribbon_low = low, ribbon_high = high;
  for (const auto& point : row.points)
    if (point) low = std::min(low, point->ratio), high = std::max(high, point->ratio);
  const auto y = [&](double ratio) {
    return high > low ? height - 4 - (height - 8) * (ratio - low) / (high - low) : height / 2;
  };
  const auto x = [&](std::size_t run) {
    return chart_width * (static_cast<double>(run) + 0.5) / static_cast<double>(row.points.size());
  };
  auto marks = fmt::format("<rect x=\"0\" y=\"{:.1f}\" width=\"{:.0f}\" height=\"{:.1f}\"/>",
                           y(ribbon_high), chart_width, y(ribbon_low) - y(ribbon_high));
  std::string way;
  for (std::size_t i = 0; i < row.points.size(); ++i) {
    if (!row.points[i]) continue;
    const double at = y(row.points[i]->ratio);
    way += fmt::format("{:.1f},{:.1f} ", x(i), at);
    marks += line(x(i), at - 4, x(i), at + 4, row.points[i]->stepped ? "here step" : "here");
  }
  return chart(height, marks + fmt::format("<polyline points=\"{}\"/>", way));
}

std::string history_section(const run_comparison& change) {
  if (change.runs.size() < 3) return {};
  double spread = 0;
  for (const auto& each : change.spreads)
    if (each.what == quantity::cpu) spread = std::hypot(each.spread.own, each.spread.common);
  std::string rows;
  for (const auto& row : change.rows)
    if (row.about.what == quantity::cpu)
      rows += element("div",
                      element("p", escaped_sentence(fmt::format(
                                       "{} on {}: {} before, {} in the last run", row.about.server,
                                       row.about.scenario, ratio_text(row.ratio_before),
                                       ratio_text(row.ratio_after)))) +
                          history_chart(row, spread));
  return rows.empty()
             ? rows
             : open_part("history", "From run to run",
                         "A mark per run, oldest first; as a ratio to the anchor. Shaded is what "
                         "runs of one program do: 95 % of them lie there. A mark in the second "
                         "colour is a step to another level.",
                         element("div", rows, "class=\"rows\""))
                   .html;
}

std::string list(const std::vector<std::string>& sentences, std::string_view kind = "ul") {
  std::string items;
  for (const auto& each : sentences) items += element("li", escaped_sentence(each));
  return items.empty() ? items : element(kind, items);
}

std::string opening(const run_comparison& change) {
  const auto said = !change.gate ? std::string{"What changed from earlier runs to the last"}
                                 : gate_text(*change.gate, change.result);
  std::vector<std::string> runs;
  for (const auto& each : change.runs) runs.push_back(printable(each));
  return element("header", element("p", "echobench compare", "class=\"origin\"") +
                               element("h1", escaped_sentence(said)) +
                               (change.gate ? list(change.gate->reasons) : "") + list(runs, "ol"));
}

std::string tables_section(const run_comparison& change) {
  std::string tables;
  for (const auto what : quantities_of(change))
    tables += html_table(change_table(change, what)) + html_table(measured_table(change, what));
  return open_part("numbers", "Every number", "", element("div", tables, "class=\"wide\"")).html;
}

}  // namespace

std::string comparison_page(const run_comparison& change) {
  std::vector<std::string> notes{spread_text(change)};
  notes.insert(notes.end(), change.machine_differences.begin(), change.machine_differences.end());
  notes.insert(notes.end(), change.notes.begin(), change.notes.end());
  const auto body = opening(change) + forest_section(change) + history_section(change) +
                    tables_section(change) + open_part("notes", "Notes", "", list(notes)).html;
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'; base-uri 'none'; form-action 'none'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>echobench "
      "compare</title>\n<style>{}{}</style>\n</head>\n<body>\n{}</body>\n</html>\n",
      report_style, own_style, element("main", body));
}

}  // namespace bench
