#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bench/analysis/block_values.hpp>
#include <bench/duel/keys.hpp>
#include <bench/duel/screen.hpp>
#include <bench/text/forest_line.hpp>
#include <bench/text/numbers.hpp>
#include <bench/text/options.hpp>
#include <bench/text/wrapped.hpp>
#include <cmath>
#include <functional>

namespace bench {
namespace {

constexpr int label_width = 20;
constexpr int ratio_width = 34;   // "  round 12   0.957 [0.948, 0.966]"
constexpr int narrow_width = 75;  // below this width the keys stand without explanations
constexpr int roomy_width = 130;  // from this width on the explanations are longer
constexpr int low_height = 19;    // below this height there is no room for sparklines
constexpr int roomy_height = 36;  // from this height on there is room for the other loads
constexpr std::size_t most_other_loads = 4;

using slice_text = std::string (*)(double);
using lines = std::vector<screen_line>;

std::string blanks(int count) {
  return std::string(static_cast<std::size_t>(std::max(count, 0)), ' ');
}

bool begins_character(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) != 0x80;
}

// The first `columns` characters of a UTF-8 text.
std::string clipped(const std::string& text, int columns) {
  std::size_t end = 0;
  for (int shown = 0; end < text.size(); ++end) {
    if (begins_character(text[end]) && ++shown > columns) break;
  }
  return text.substr(0, end);
}

std::string to_the_right(const std::string& text, int columns) {
  const auto shown = clipped(text, columns);
  return blanks(columns - columns_of(shown)) + shown;
}

std::string to_the_left(const std::string& text, int columns) {
  const auto shown = clipped(text, columns);
  return shown + blanks(columns - columns_of(shown));
}

screen_line clipped(const screen_line& line, int columns) {
  screen_line shown;
  for (const auto& each : line) {
    shown.push_back({clipped(each.text, columns), each.tone});
    columns -= columns_of(shown.back().text);
  }
  return shown;
}

// One line of a bar chart that is `rows` lines high; row 0 is the top. A bar of `highest` fills all
// rows.
std::string bars(const std::vector<double>& values, double highest, int row, int rows,
                 bool unicode) {
  static constexpr std::array signs{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  static constexpr std::array letters{"_", ".", "-", "=", "+", "*", "#", "@"};
  const int below = 8 * (rows - 1 - row);
  std::string line;
  for (double value : values) {
    const int level = highest > 0 ? static_cast<int>(std::lround(value / highest * 8 * rows)) : 0;
    const int here = std::clamp(level - below, below == 0 ? 1 : 0, 8);
    line += here == 0 ? " " : (unicode ? signs : letters)[static_cast<std::size_t>(here - 1)];
  }
  return line;
}

class painter {
 public:
  painter(const duel& match, screen_size size, bool unicode)
      : match_{match},
        score_{match.score()},
        size_{size},
        unicode_{unicode},
        column_{std::max((size.width - label_width) / 2, 8)},
        bar_rows_{size.height < low_height ? 0 : std::clamp((size.height - 24) / 8 + 1, 1, 4)} {}

  lines draw() {
    title();
    sides();
    auto below = what_is_said();
    below.push_back(keys());
    const int room = std::max(size_.height - static_cast<int>(below.size()), 0);
    forest(room - static_cast<int>(all_.size()));
    all_.resize(static_cast<std::size_t>(room));
    all_.insert(all_.end(), below.begin(), below.end());
    all_.erase(all_.begin(), all_.end() - size_.height);
    for (auto& line : all_) line = clipped(line, size_.width);
    return std::move(all_);
  }

 private:
  void title() {
    const auto& load = score_.scenario;
    const auto what = fmt::format("{}   {} connections, {} bytes, {} outstanding", load.text(),
                                  load.connections, load.message_bytes, load.depth);
    const auto when = fmt::format("round {}   {} of {}", score_.rounds.size() + 1,
                                  clock_text(match_.elapsed), clock_text(match_.length));
    const int left = std::max(size_.width - columns_of(when) - 1, 0);
    all_.push_back({{to_the_left(what, left) + " ", tone::strong}, {when}});
  }

  void sides() {
    all_.push_back({{blanks(label_width)},
                    {to_the_right(score_.left.name, column_ - 1) + ' ', tone::left},
                    {to_the_right(score_.right.name, column_ - 1) + ' ', tone::right}});
    numbers("messages/s", rate_of, count_text);
    sparks(rate_of);
    row("CPU a message, ns", [](const duelist& side) -> std::string {
      if (side.slices.empty()) return "";
      return side.cpu_is_known() ? ns_text(cost_of(side.slices.back())) : "n/a";
    });
    sparks(cost_of);
    numbers("p50, us", p50_of, microseconds_text);
    numbers("p99, us", p99_of, microseconds_text);
    row("slowest, us", [](const duelist& side) {
      return side.slices.empty() ? "" : microseconds_text(side.slowest_us);
    });
    sparks(slowest_of);
    row("memory, KiB", [](const duelist& side) -> std::string {
      return side.pss_kib ? count_text(*side.pss_kib) : side.slices.empty() ? "" : "n/a";
    });
    all_.push_back({});
  }

  static double slowest_of(const slice& timed) { return timed.max_us; }

  void row(const std::string& label, const std::function<std::string(const duelist&)>& text) {
    all_.push_back({{to_the_left(label, label_width), tone::faint},
                    {to_the_right(text(score_.left), column_ - 1) + ' '},
                    {to_the_right(text(score_.right), column_ - 1) + ' '}});
  }

  void numbers(const std::string& label, slice_value value, slice_text text) {
    row(label, [=](const duelist& side) {
      return side.slices.empty() ? "" : text(value(side.slices.back()));
    });
  }

  // The latest values of a side, as many as fit into its column.
  std::vector<double> latest(const duelist& side, slice_value value) const {
    const auto room = static_cast<std::size_t>(column_ - 2);
    const auto skipped = side.slices.size() - std::min(side.slices.size(), room);
    std::vector<double> values;
    if (value == cost_of && !side.cpu_is_known()) return values;
    for (auto i = skipped; i < side.slices.size(); ++i) {
      const double found = value(side.slices[i]);
      values.push_back(std::isfinite(found) ? found : 0);
    }
    return values;
  }

  // Both sides have the same scale: the highest value of both is a full bar.
  void sparks(slice_value value) {
    const auto left = latest(score_.left, value);
    const auto right = latest(score_.right, value);
    double highest = 0;
    for (const auto* side : {&left, &right})
      for (double each : *side) highest = std::max(highest, each);
    for (int i = 0; i < bar_rows_; ++i)
      all_.push_back(
          {{blanks(label_width)},
           {to_the_right(bars(left, highest, i, bar_rows_, unicode_), column_ - 1) + ' ',
            tone::left},
           {to_the_right(bars(right, highest, i, bar_rows_, unicode_), column_ - 1), tone::right}});
  }

  // The indices of the rounds to show if not all fit: the first, the last, and others evenly
  // between. The rounds without an interval are left out first.
  std::vector<std::size_t> shown_rounds(std::size_t room) const {
    const auto& history = score_.history;
    const auto first_interval = static_cast<std::size_t>(
        std::find_if(history.begin(), history.end(), [](const auto& each) { return each.range; }) -
        history.begin());
    const auto spare = history.size() > room ? history.size() - room : 0;
    const auto first = std::min(first_interval, spare);
    const auto count = std::min(history.size() - first, room);
    std::vector<std::size_t> rounds;
    for (std::size_t i = 0; i < count; ++i)
      rounds.push_back(count == 1 ? history.size() - 1
                                  : first + i * (history.size() - 1 - first) / (count - 1));
    return rounds;
  }

  // Draws the ratio after each round, as a forest plot of at most `room` lines.
  void forest(int room) {
    const auto& [left, right] = std::pair{score_.left.name, score_.right.name};
    if (room < 3) return;
    const auto rounds = shown_rounds(static_cast<std::size_t>(room - 2));
    std::vector<estimate> ratios;
    for (auto each : rounds) ratios.push_back(score_.history[each]);
    const forest_scale scale{ratios, size_.width - ratio_width - 1, unicode_};
    all_.push_back({{fmt::format("CPU a message, {} / {}, after each round", left, right)}});
    all_.push_back({{blanks(ratio_width) + scale.axis(), tone::faint}});
    for (std::size_t i = 0; i < rounds.size(); ++i) {
      const bool latest = i + 1 == rounds.size();
      const auto text =
          ratios[i].range ? interval_text(ratios[i], ratio_text) : ratio_text(ratios[i].value);
      all_.push_back(
          {{to_the_left(fmt::format("  round {:<4} {}", rounds[i] + 1, text), ratio_width) +
                scale.line(ratios[i]),
            latest ? tone_of_latest() : tone::plain}});
    }
    all_.resize(all_.size() + static_cast<std::size_t>(room - 2) - rounds.size());
  }

  // The colour of the side that uses less CPU, once the interval excludes 1.
  tone tone_of_latest() const {
    const auto& found = score_.history.back();
    if (!found.range || !found.range->excludes(1)) return tone::strong;
    return found.value < 1 ? tone::left : tone::right;
  }

  // The lines below the forest plot: the verdict, the other loads and the note.
  lines what_is_said() const {
    lines said;
    auto verdict = split(wrapped(score_.verdict(), size_.width, 2), '\n');
    verdict.resize(2);
    for (const auto& each : verdict) said.push_back({{each, tone::strong}});
    if (size_.height >= roomy_height) other_loads(said);
    said.push_back({{match_.note}});
    return said;
  }

  void other_loads(lines& said) const {
    std::vector<const duel_score*> others;
    for (const auto& each : match_.rows())
      if (&each != &score_ && !each.rounds.empty()) others.push_back(&each);
    const auto skipped = others.size() - std::min(others.size(), most_other_loads);
    for (auto i = skipped; i < others.size(); ++i)
      said.push_back(
          {{fmt::format("  {:<16} {} after {} rounds", others[i]->scenario.text(),
                        interval_text(others[i]->ratio(), ratio_text), others[i]->rounds.size()),
            tone::faint}});
  }

  screen_line keys() const {
    screen_line line;
    for (const auto& each : duel_keys_help()) {
      line.push_back({fmt::format("{}{}", line.empty() ? "" : "   ", each.keys), tone::strong});
      if (size_.width < narrow_width) continue;
      line.push_back(
          {fmt::format(" {}", size_.width < roomy_width ? each.words : each.more_words)});
    }
    return line;
  }

  const duel& match_;
  const duel_score& score_;
  screen_size size_;
  bool unicode_;
  int column_;
  int bar_rows_;
  lines all_;
};

}  // namespace

std::vector<screen_line> duel_screen(const duel& match, screen_size size, bool unicode) {
  return painter{match, size, unicode}.draw();
}

std::string duel_summary(const duel& match, int width) {
  std::string text;
  for (const auto& each : match.rows())
    text += wrapped(fmt::format("{}   {}", each.scenario.text(), each.verdict()), width, 2);
  return text;
}

}  // namespace bench
