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

constexpr int label_width = 17;
constexpr int floor_width = 15;            // "floor/io_uring "
constexpr int ratio_width = 34;            // "  round 12   0.957 [0.948, 0.966]"
constexpr screen_size least_size{60, 16};  // below this size there is only the verdict
constexpr int narrow_width = 72;           // below this width the keys stand without explanations
constexpr int usual_width = 80;            // below this width there is no room for the bare loop
constexpr int low_height = 19;             // below this height there is no room for sparklines
constexpr int roomy_height = 36;  // from this height on there is room for more of everything
constexpr std::size_t most_other_loads = 4;

constexpr std::array meanings{
    "Numbers are means over the last 2 s of load; slowest is that of all rounds.",
    "Above bare loop: CPU per message, less that of a loop without a library.",
    "The ratios below the plot are left over right.",
    "All servers share one core and one client. So the ratio of messages/s says how the two "
    "divide these, not what either reaches alone: echobench run measures that.",
    "Each [low, high] may be watched: with 95 % probability it contains the truth at every moment "
    "of one load. That holds for each by itself, so one of several is wrong more often. It does "
    "not hold if something now and then disturbs one server alone."};

using number_text = std::string (*)(double);
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
        floor_width_{score_.floor && size.width >= usual_width ? floor_width : 0},
        column_{std::max((size.width - label_width - floor_width_) / 2, 8)},
        bar_rows_{size.height < low_height ? 0 : std::clamp((size.height - 24) / 12 + 1, 1, 4)} {}

  lines draw() {
    if (size_.width < least_size.width || size_.height < least_size.height)
      return fitted(only_the_verdict());
    title();
    servers();
    auto below = what_is_said();
    below.push_back(keys());
    const int room = std::max(size_.height - static_cast<int>(below.size()), 0);
    forest(room - static_cast<int>(all_.size()));
    all_.resize(static_cast<std::size_t>(room));
    all_.insert(all_.end(), below.begin(), below.end());
    return fitted(std::move(all_));
  }

 private:
  lines fitted(lines shown) const {
    shown.resize(static_cast<std::size_t>(size_.height));
    for (auto& line : shown) line = clipped(line, size_.width);
    return shown;
  }

  lines only_the_verdict() const {
    lines said;
    for (const auto& each : split(wrapped(score_.verdict(), size_.width, 0), '\n'))
      said.push_back({{each, tone::strong}});
    const auto why =
        fmt::format("{} columns and {} lines show more", least_size.width, least_size.height);
    for (const auto& each : split(wrapped(why, size_.width, 0), '\n')) said.push_back({{each}});
    return said;
  }

  void title() {
    const auto& load = score_.scenario;
    const auto last = load.open_loop() ? fmt::format("{} due/s", count_text(load.rate_per_second))
                                       : fmt::format("{} outstanding", load.depth);
    const auto what = fmt::format("{}   {} connections, {} bytes, {}", load.text(),
                                  load.connections, load.message_bytes, last);
    const auto when = fmt::format("{}round {}   {} of {}", match_.is_frozen ? "FROZEN " : "",
                                  score_.rounds.size() + 1, clock_text(match_.elapsed),
                                  clock_text(match_.length));
    const int left = std::max(size_.width - columns_of(when) - 1, 0);
    all_.push_back({{to_the_left(what, left) + " ", tone::strong}, {when}});
  }

  void servers() {
    const bool roomy = size_.height >= roomy_height;
    const auto label = to_the_left("means over 2 s", label_width);
    all_.push_back(cells(
        {label, tone::faint}, [](const duelist& each) { return each.name; }, true));
    numbers("messages/s", rate_of, count_text);
    sparks(rate_of);
    numbers("CPU/message, ns", cost_of, ns_text);
    sparks(cost_of);
    if (score_.floor)
      row("above bare loop", [this](const duelist& each) {
        if (&each == &*score_.floor || score_.rounds.empty()) return std::string{};
        return above_text(&each == &score_.left ? score_.left_overhead() : score_.right_overhead());
      });
    numbers("p50, us", p50_of, microseconds_text);
    if (roomy) sparks(p50_of);
    numbers("p99, us", p99_of, microseconds_text);
    if (roomy) sparks(p99_of);
    row("slowest, us", [](const duelist& each) {
      return each.slices.empty() ? "" : microseconds_text(each.slowest_us);
    });
    sparks(slowest_of);
    row("memory, KiB", [](const duelist& each) -> std::string {
      return each.pss_kib ? count_text(*each.pss_kib) : each.slices.empty() ? "" : "n/a";
    });
    if (roomy) all_.push_back({});
  }

  static double slowest_of(const slice& timed) { return timed.max_us; }

  // "512 [430, 570]"; before there is an interval "512".
  static std::string above_text(const estimate& overhead) {
    if (overhead.n == 0) return "n/a";
    return overhead.range ? interval_text(overhead, ns_text) : ns_text(overhead.value);
  }

  // A line with a cell for each server, which may have the server's tone.
  screen_line cells(piece label, const std::function<std::string(const duelist&)>& text,
                    bool toned) const {
    const auto cell = [&](const duelist& each, int width, tone own) {
      return piece{to_the_right(text(each), width - 1) + ' ', toned ? own : tone::plain};
    };
    screen_line line{std::move(label), cell(score_.left, column_, tone::left),
                     cell(score_.right, column_, tone::right)};
    if (floor_width_ > 0) line.push_back(cell(*score_.floor, floor_width_, tone::faint));
    return line;
  }

  void row(const std::string& label, const std::function<std::string(const duelist&)>& text) {
    all_.push_back(cells({to_the_left(label, label_width), tone::faint}, text, false));
  }

  void numbers(const std::string& label, slice_value value, number_text text) {
    row(label, [=](const duelist& each) -> std::string {
      const auto mean = each.recent(value);
      if (mean) return text(*mean);
      return each.slices.empty() ? "" : "n/a";
    });
  }

  // The latest values of a server, as many as fit into its column.
  std::vector<double> latest(const duelist& each, slice_value value) const {
    const bool is_floor = score_.floor && &each == &*score_.floor;
    const auto room = static_cast<std::size_t>((is_floor ? floor_width : column_) - 2);
    const auto skipped = each.slices.size() - std::min(each.slices.size(), room);
    std::vector<double> values;
    if (value == cost_of && !each.cpu_is_known()) return values;
    for (auto i = skipped; i < each.slices.size(); ++i) {
      const double found = value(each.slices[i]);
      values.push_back(is_measured(found) ? found : 0);
    }
    return values;
  }

  // All servers have the same scale: the highest value of all is a full bar.
  void sparks(slice_value value) {
    double highest = 0;
    for (const auto* server :
         {&score_.left, &score_.right, floor_width_ ? &*score_.floor : nullptr})
      if (server)
        for (double each : latest(*server, value)) highest = std::max(highest, each);
    for (int i = 0; i < bar_rows_; ++i)
      all_.push_back(cells(
          {blanks(label_width)},
          [&](const duelist& each) {
            return bars(latest(each, value), highest, i, bar_rows_, unicode_);
          },
          true));
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
    all_.push_back({{fmt::format("CPU/message, {} / {}, after each round", left, right)}});
    all_.push_back({{blanks(ratio_width) + scale.axis(), tone::faint}});
    for (std::size_t i = 0; i < rounds.size(); ++i) {
      const bool latest = i + 1 == rounds.size();
      const auto text = ratio_with_interval(ratios[i]);
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

  // The lines below the forest plot: the ratios, the verdict, the other loads and the note.
  lines what_is_said() const {
    lines said = ratios();
    const std::size_t room = size_.width < usual_width ? 3 : 2;
    auto verdict = split(wrapped(score_.verdict(), size_.width, 2), '\n');
    verdict.resize(room);
    for (const auto& each : verdict) said.push_back({{each, tone::strong}});
    if (size_.height >= roomy_height) other_loads(said);
    said.push_back({{match_.note}});
    return said;
  }

  // Both ratios, beside each other where there is room.
  lines ratios() const {
    const auto cost =
        fmt::format("left/right: CPU/message {}", ratio_with_interval(score_.ratio()));
    const auto rate = fmt::format("messages/s {}", ratio_with_interval(score_.rate_ratio()));
    if (score_.scenario.open_loop()) return {{{cost}}};  // the rate is the same for both
    if (size_.width < usual_width) return {{{cost}}, {{rate}}};
    return {{{cost + "   " + rate}}};
  }

  static std::string ratio_with_interval(const estimate& ratio) {
    return ratio.n == 0 || ratio.range ? interval_text(ratio, ratio_text) : ratio_text(ratio.value);
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

  // As many as fit, as far apart as fits.
  screen_line keys() const {
    for (const auto& [all, apart] : {std::pair{true, 3}, {true, 2}, {false, 3}, {false, 2}}) {
      auto line = keys(all, apart);
      int width = 0;
      for (const auto& each : line) width += columns_of(each.text);
      if (width <= size_.width) return line;
    }
    return keys(false, 1);
  }

  screen_line keys(bool all, int apart) const {
    screen_line line;
    for (const auto& each : duel_keys_help()) {
      if (each.is_spare && !all) continue;
      line.push_back({blanks(line.empty() ? 0 : apart) + std::string{each.keys}, tone::strong});
      if (size_.width >= narrow_width) line.push_back({fmt::format(" {}", each.words)});
    }
    return line;
  }

  const duel& match_;
  const duel_score& score_;
  screen_size size_;
  bool unicode_;
  int floor_width_;  // 0: the bare loop is not shown
  int column_;       // the width of either side
  int bar_rows_;
  lines all_;
};

}  // namespace

std::vector<screen_line> duel_screen(const duel& match, screen_size size, bool unicode) {
  return painter{match, size, unicode}.draw();
}

std::vector<screen_line> duel_help_screen(screen_size size) {
  lines all{{{"The keys", tone::strong}}};
  for (const auto& each : duel_keys_help())
    all.push_back({{fmt::format("  {:<7}{:<13}", each.keys, each.other_keys), tone::strong},
                   {std::string{each.explanation}}});
  all.push_back({{"What the screen shows", tone::strong}});
  for (const auto* text : meanings)
    for (const auto& each : split(wrapped(text, size.width - 2, 2), '\n'))
      all.push_back({{"  " + each}});
  all.resize(static_cast<std::size_t>(size.height));
  for (auto& line : all) line = clipped(line, size.width);
  return all;
}

std::string duel_summary(const duel& match, int width) {
  std::string text;
  for (const auto& each : match.rows())
    text += wrapped(fmt::format("{}   {}", each.scenario.text(), each.verdict()), width, 2);
  return text;
}

}  // namespace bench
