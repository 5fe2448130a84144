#include <bench/command/plan_text.hpp>

#include <fmt/format.h>

#include <bench/contract/printable.hpp>
#include <bench/measure/runner.hpp>
#include <bench/measure/suites.hpp>
#include <bench/text/numbers.hpp>
#include <string_view>

namespace bench {
namespace {

std::string_view kinds_of(const pairing& row) {
  if (row.open_loop) return "open loop";
  if (row.duet) return row.exclusive ? "duet, exclusive" : "duet";
  return "exclusive";
}

}  // namespace

std::string title_of(const run_plan& plan) {
  auto expected = plan;
  expected.rounds = rounds_in_budget(plan);
  const auto rounds = expected.rounds == plan.rounds
                          ? fmt::format("{} rounds", plan.rounds)
                          : fmt::format("{} of {} rounds, as many as its {} s allow",
                                        expected.rounds, plan.rounds, plan.budget->count());
  const auto usual = find_suite(plan.suite).budget;
  const auto grown = plan.budget.value_or(usual) > usual
                         ? fmt::format(" (the suite's {} s became {} s for these rows)",
                                       usual.count(), plan.budget->count())
                         : std::string{};
  return fmt::format("{} suite   {} rows x {}   {} {}{}   Ctrl-C keeps what is done\n", plan.suite,
                     plan.pairings.size() - 1, rounds,
                     plan.until_sure ? "until sure, at most" : "about",
                     clock_text(expected_duration(expected)), grown);
}

std::string contents_of(const run_plan& plan) {
  std::string text;
  for (const auto& each : plan.pairings)
    text += fmt::format("  {:<16} {} against {}{}   {}\n", each.scenario.text(),
                        each.comparison.contender, each.comparison.base,
                        each.control ? " (control)" : "", kinds_of(each));
  for (const auto& each : plan.servers_as_started())
    text += fmt::format("  {:<26} {}\n", each.name,
                        each.target ? "runs already at " + *each.target : printable(each.command));
  for (const auto& each : plan.left_out) text += fmt::format("  {}\n", text_of(each));
  return text;
}

}  // namespace bench
