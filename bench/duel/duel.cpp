#include <fmt/format.h>

#include <algorithm>
#include <bench/analysis/caveats.hpp>
#include <bench/duel/duel.hpp>
#include <bench/measure/schedule.hpp>
#include <bench/server/catalogue.hpp>
#include <bench/statistics/confidence_sequence.hpp>
#include <bench/statistics/verdict.hpp>
#include <bench/text/numbers.hpp>

namespace bench {
namespace {

constexpr std::size_t most_slices = 512;   // more slices than any terminal has columns
constexpr std::size_t recent_slices = 20;  // of 100 ms
constexpr double duel_margin = 0.01;       // a duel has no A/A control that could widen it

duel_score score_of(const comparison& servers, const scenario& shape) {
  duel_score score;
  score.scenario = shape;
  score.left.name = servers.contender;
  score.right.name = servers.base;
  if (servers.floor) score.floor.emplace().name = *servers.floor;
  return score;
}

void append(std::vector<double>& values, const std::vector<double>& further) {
  values.insert(values.end(), further.begin(), further.end());
}

// CPU per message of one server less that of the bare loop, if the round has both.
std::vector<double> overhead_in(const block& round, int launch) {
  const auto cost = value_of(round, launch, cost_of);
  const auto floor = value_of(round, floor_launch, cost_of);
  if (!cost || !floor) return {};
  return {*cost - *floor};
}

verdict watched_verdict(const estimate& ratio) {
  return judge(log_from_ratio(ratio), duel_margin, 'A', {1, 0, looks::throughout});
}

estimate ratio_of(const std::vector<double>& logarithms) {
  return ratio_from_log(confidence_sequence(logarithms));
}

// Empty: both sides keep up, or nothing is due in a closed loop.
std::string who_is_saturated(const duel_score& score) {
  blocks_view rounds;
  for (const auto& each : score.rounds) rounds.push_back(&each);
  return who_is_saturated(rounds, {score.right.name, score.left.name, {}});
}

}  // namespace

std::optional<double> duelist::recent(slice_value value) const {
  double sum = 0, count = 0;
  for (auto i = slices.size() - std::min(slices.size(), recent_slices); i < slices.size(); ++i) {
    const double found = value(slices[i]);
    if (!is_measured(found)) continue;
    sum += found;
    count += 1;
  }
  return count > 0 ? std::optional{sum / count} : std::nullopt;
}

block duel_score::next_round() const {
  block next;
  next.round = static_cast<int>(rounds.size());
  next.scenario = scenario;
  next.comparison = {right.name, left.name, std::nullopt};
  if (floor) next.comparison.floor = floor->name;
  next.order = duet_order(next.round, floor.has_value());
  return next;
}

void duel_score::show(const slice& timed, std::optional<double> pss_kib) {
  auto& side = timed.launch == base_launch        ? right
               : timed.launch == contender_launch ? left
                                                  : floor.value();
  side.slices.push_back(timed);
  if (side.slices.size() > most_slices) side.slices.pop_front();
  side.slowest_us = std::max(side.slowest_us, timed.max_us);
  side.pss_kib = pss_kib;
}

void duel_score::count(block round) {
  if (rounds.empty()) {
    for (const auto* side : {&left, &right, floor ? &*floor : nullptr})
      if (side && side->pss_kib)
        memory.push_back({side->name, scenario.all_connections(), *side->pss_kib});
  }
  const auto known = cost_ratios.size();
  append(cost_ratios, log_ratios({&round}, cost_of));
  append(rate_ratios, log_ratios({&round}, rate_of));
  append(left_overheads, overhead_in(round, contender_launch));
  append(right_overheads, overhead_in(round, base_launch));
  if (cost_ratios.size() > known) history.push_back(ratio_of(cost_ratios));
  rounds.push_back(std::move(round));
}

estimate duel_score::rate_ratio() const {
  return ratio_of(rate_ratios);
}
estimate duel_score::left_overhead() const {
  return confidence_sequence(left_overheads);
}
estimate duel_score::right_overhead() const {
  return confidence_sequence(right_overheads);
}

std::string duel_score::verdict() const {
  for (const auto* side : {&left, &right})
    if (history.empty() && !side->cpu_is_known())
      return fmt::format(
          "n/a: {} was not started here, or its processes change: its CPU is unknown", side->name);
  if (!may_share_a_core(right.name, left.name))
    return "n/a: " + text_of(caveats::unlike_reactors{right.name, left.name});
  if (rounds.empty()) return "no round is complete";
  if (history.empty()) return "no round has a ratio";
  if (const auto why = who_is_saturated(*this); !why.empty()) return "n/a: " + why;
  const auto said = watched_verdict(ratio());
  const auto why = said.what == finding::inconclusive ? std::string{} : ruin_in(rounds);
  if (!why.empty()) return "n/a: " + why;
  return fmt::format("{} against {}: {}", left.name, right.name, said.words);
}

bool duel_score::is_settled() const {
  return may_share_a_core(right.name, left.name) && ruin_in(rounds).empty() &&
         who_is_saturated(*this).empty() && watched_verdict(ratio()).what != finding::inconclusive;
}

duel::duel(comparison servers, const scenario& shape)
    : servers_{std::move(servers)},
      rows_{score_of(servers_, shape)},
      under_way_{score().next_round()} {}

void duel::happen(const duel_event& event) {
  elapsed = std::chrono::duration<double>{event.at_s};
  if (event.round_begins) under_way_ = score().next_round();
  if (event.slices)
    for (const auto& each : *event.slices) {
      score().show(each.timed, each.pss_kib);
      under_way_.slices.push_back(each.timed);
    }
  if (event.round_ends) {
    under_way_.foreign_cpu_share = event.round_ends->foreign_cpu_share;
    under_way_.steal_share = event.round_ends->steal_share;
    under_way_.client_foreign_share = event.round_ends->client_foreign_share;
    score().count(std::move(under_way_));
    under_way_ = score().next_round();
  }
  if (event.load) change_load(*event.load);
  if (event.note) note = *event.note;
}

void duel::change_load(const scenario& shape) {
  const auto known = std::find_if(rows_.begin(), rows_.end(),
                                  [&](const duel_score& row) { return row.scenario == shape; });
  current_ = static_cast<std::size_t>(known - rows_.begin());
  if (known == rows_.end()) rows_.push_back(score_of(servers_, shape));
  const auto rounds = score().rounds.size();
  note = rounds == 0
             ? fmt::format("load changed to {}: another row, its score begins anew", shape.text())
             : fmt::format("load changed back to {}: its score goes on after {} rounds",
                           shape.text(), rounds);
  under_way_ = score().next_round();
}

std::string duel_line(const duel& match) {
  const auto& score = match.score();
  const auto side = [](const duelist& each) {
    const auto rate = each.recent(rate_of);
    if (!rate) return each.name;
    const auto cost = each.recent(cost_of);
    return fmt::format("{} {}/s {} ns", each.name, count_text(*rate),
                       cost ? ns_text(*cost) : "n/a");
  };
  auto text = fmt::format("{:>3.0f} s   {}   {}", match.elapsed.count(), side(score.left),
                          side(score.right));
  if (score.floor) text += "   " + side(*score.floor);
  return fmt::format("{}   ratio {}   of messages/s {}\n", text,
                     interval_text(score.ratio(), ratio_text),
                     interval_text(score.rate_ratio(), ratio_text));
}

}  // namespace bench
