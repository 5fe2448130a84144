#include <fmt/format.h>

#include <algorithm>
#include <bench/analysis/analysis.hpp>
#include <bench/command/progress.hpp>
#include <bench/report/forms.hpp>
#include <bench/text/numbers.hpp>
#include <bench/text/terminal.hpp>

namespace bench {
namespace {

constexpr int bar_width = 16;
constexpr int text_width = 46;  // of a line without its bar and without what is measured now

}  // namespace

progress::progress(const run_plan& plan, std::FILE* out)
    : plan_{plan},
      out_{out},
      style_{style_of(out)},
      redraws_{is_terminal(out)},
      expected_total_{expected_duration(plan)} {
  so_far_.header.watched = plan.until_sure;
}

void progress::on_memory(const memory_sample& sample) {
  draw(fmt::format("memory of {}", sample.server));
}

void progress::on_kernel(const kernel_sample& sample) {
  draw(fmt::format("system calls of {}", sample.server));
}

void progress::on_block_kept(const block& kept) {
  so_far_.blocks.push_back(kept);
  const seconds expected = expected_duration(plan_of(kept), plan_.timing);
  expected_kept_ += expected;
  expected_done_ += expected;
}

void progress::on_block_starts(const planned_block& starting) {
  if (expected_done_ == expected_kept_) {
    expected_done_ += expected_memory_duration(plan_) + expected_counting_duration(plan_);
  }
  round_ = starting.round;
  expected_now_ = expected_duration(starting, plan_.timing);
  draw(fmt::format("{} {}", starting.scenario.text(),
                   starting.control                         ? "control"
                   : starting.kind == block_kind::duet      ? "duet"
                   : starting.kind == block_kind::open_loop ? "open loop"
                                                            : "exclusive"));
}

void progress::on_block(const block& measured) {
  so_far_.blocks.push_back(measured);
  expected_done_ += expected_now_;
}

void progress::on_round_ends(int round) {
  if (redraws_) return draw_forest();
  tell(out_, "round {:>2}/{}   elapsed {}   left {}\n", round + 1, plan_.rounds,
       clock_text(clock::now() - start_), clock_text(left()));
  std::fflush(out_);
}

void progress::on_budget_spent(int rounds_done) {
  clear();
  tell(out_, "{} of {} rounds: another would not fit into the {} s of this suite\n", rounds_done,
       plan_.rounds, plan_.budget->count());
}

void progress::on_enough(int rounds_done) {
  clear();
  tell(out_, "sure after {} of {} rounds\n", rounds_done, plan_.rounds);
}

void progress::clear() {
  if (redraws_) tell(out_, "\r\033[J");
  std::fflush(out_);
}

// The expected remaining time, scaled by the ratio of elapsed to expected time so far.
progress::seconds progress::left() const {
  const seconds elapsed = clock::now() - start_;
  const auto done = expected_done_ - expected_kept_;
  const auto pace = done > seconds{1} ? elapsed / done : 1.0;
  return (expected_total_ - expected_done_) * pace;
}

// Draws the forest plots below the progress line, then moves the cursor back to that line.
void progress::draw_forest() {
  const auto shown = style_of(out_);
  const auto text = forest_text(analyse(so_far_), shown, shown.height - 4);
  const auto lines = std::count(text.begin(), text.end(), '\n');
  if (lines == 0) return;
  tell(out_, "\n\033[Jprovisional, after round {} of {}\n{}\033[{}A", round_ + 1, plan_.rounds,
       text, lines + 2);
  std::fflush(out_);
}

void progress::draw(const std::string& what) {
  if (!redraws_) return;
  const auto share = expected_done_ / expected_total_;
  auto line = fmt::format("round {:>2}/{}  {} {:>3.0f} %  elapsed {}  left {}  ", round_ + 1,
                          plan_.rounds, bar_text(share, bar_width, style_.unicode), share * 100,
                          clock_text(clock::now() - start_), clock_text(left()));
  const int room = style_.width - 1 - text_width - bar_width;
  line += what.substr(0, static_cast<std::size_t>(std::max(0, room)));
  tell(out_, "\r{}\033[K", line);
  std::fflush(out_);
}

}  // namespace bench
