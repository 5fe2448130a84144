#include <fmt/format.h>

#include <algorithm>
#include <bench/analysis/block_values.hpp>
#include <bench/duel/duel.hpp>
#include <bench/server/catalogue.hpp>
#include <bench/statistics/verdict.hpp>
#include <bench/text/numbers.hpp>

namespace bench {
namespace {

constexpr std::size_t most_slices = 512;  // more slices than any terminal has columns
constexpr double duel_margin = 0.01;      // a duel has no A/A control that could widen it

duel_score score_of(const std::string& left, const std::string& right, const scenario& shape) {
  duel_score score;
  score.scenario = shape;
  score.left.name = left;
  score.right.name = right;
  return score;
}

}  // namespace

block duel_score::next_round() const {
  block next;
  next.round = static_cast<int>(rounds.size());
  next.scenario = scenario;
  next.comparison = {right.name, left.name, std::nullopt};
  next.order = next.round % 2 == 0 ? "BA" : "AB";
  return next;
}

void duel_score::show(const slice& timed, std::optional<double> pss_kib) {
  auto& side = timed.launch == base_launch ? right : left;
  side.slices.push_back(timed);
  if (side.slices.size() > most_slices) side.slices.pop_front();
  side.slowest_us = std::max(side.slowest_us, timed.max_us);
  side.pss_kib = pss_kib;
}

void duel_score::count(block round) {
  for (double value : bench::log_ratios({&round}, cost_of)) log_ratios.push_back(value);
  if (rounds.empty()) {
    for (const auto* side : {&left, &right})
      if (side->pss_kib) memory.push_back({side->name, scenario.all_connections(), *side->pss_kib});
  }
  rounds.push_back(std::move(round));
  if (!log_ratios.empty()) history.push_back(ratio());
}

estimate duel_score::ratio() const {
  return ratio_from_log(signed_rank_interval(log_ratios));
}

std::string duel_score::verdict() const {
  for (const auto* side : {&left, &right})
    if (log_ratios.empty() && !side->cpu_is_known())
      return fmt::format(
          "n/a: {} was not started here, or its processes change: its CPU is unknown", side->name);
  if (!may_share_a_core(right.name, left.name))
    return "n/a: " + text_of(caveats::unlike_reactors{right.name, left.name});
  if (log_ratios.empty()) return "no round is complete";
  return fmt::format("{} against {}: {}", left.name, right.name,
                     judge(signed_rank_interval(log_ratios), duel_margin).words);
}

duel::duel(std::string left, std::string right, const scenario& shape)
    : left_{std::move(left)}, right_{std::move(right)}, rows_{score_of(left_, right_, shape)} {}

void duel::change_load(const scenario& shape) {
  const auto known = std::find_if(rows_.begin(), rows_.end(),
                                  [&](const duel_score& row) { return row.scenario == shape; });
  current_ = static_cast<std::size_t>(known - rows_.begin());
  if (known == rows_.end()) rows_.push_back(score_of(left_, right_, shape));
  const auto rounds = score().rounds.size();
  note = rounds == 0
             ? fmt::format("load changed to {}: another row, its score begins anew", shape.text())
             : fmt::format("load changed back to {}: its score goes on after {} rounds",
                           shape.text(), rounds);
}

std::string duel_line(const duel& match) {
  const auto& score = match.score();
  const auto side = [](const duelist& each) {
    if (each.slices.empty()) return each.name;
    const auto& latest = each.slices.back();
    return fmt::format("{} {}/s {} ns", each.name, count_text(rate_of(latest)),
                       each.cpu_is_known() ? ns_text(cost_of(latest)) : "n/a");
  };
  return fmt::format("{:>3.0f} s   {}   {}   ratio {}\n", match.elapsed.count(), side(score.left),
                     side(score.right), interval_text(score.ratio(), ratio_text));
}

}  // namespace bench
