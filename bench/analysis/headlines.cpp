#include <bench/analysis/headlines.hpp>

#include <fmt/format.h>

#include <bench/server/catalogue.hpp>
#include <bench/text/numbers.hpp>

namespace bench {
namespace {

// The leading sentence: "fibers/epoll costs 55 ns [40, 70] per message above the bare loop,
// asio-callback/epoll 512 [430, 570]". Without a floor: CPU per message.
std::string headline_of(const cost_row& row) {
  const auto where = "On " + row.scenario.text() + ", ";
  if (row.contender.overhead_ns && row.base.overhead_ns)
    return fmt::format("{}{} costs {} per message above the bare loop, {} {}", where,
                       row.contender.server,
                       interval_text(row.contender.overhead_ns, ns_text, "ns"), row.base.server,
                       interval_text(row.base.overhead_ns, ns_text));
  return fmt::format("{}{} costs {} of CPU a message, {} {}", where, row.contender.server,
                     interval_text(row.contender.cpu_ns, ns_text, "ns"), row.base.server,
                     interval_text(row.base.cpu_ns, ns_text));
}

// For a comparison with a server whose CPU is unknown.
std::string headline_of(const load_row& row) {
  const auto text = [](const server_load& side) {
    return fmt::format("{} answers {} messages a second with a p50 of {} us", side.server,
                       interval_text(side.messages_per_second, count_text),
                       interval_text(side.p50_us, microseconds_text));
  };
  return fmt::format("On {}, loaded alone, {}, {}", row.scenario.text(), text(row.contender),
                     text(row.base));
}

std::string response_text(const server_response& of, bool first) {
  if (of.saturated) return of.server + (first ? " is saturated" : " is saturated too");
  return fmt::format("{} answers in {} p50 and {} p99", of.server,
                     microseconds_text(of.response_p50_us.value) + " us",
                     microseconds_text(of.response_p99_us.value) + " us");
}

// For a run that measured only open loops.
std::string headline_of(const open_row& row) {
  const bool both_saturated = row.base.saturated && row.contender.saturated;
  return fmt::format("On {}, with {} messages due a second, {}, {}", row.scenario.text(),
                     count_text(row.rate_per_second.value), response_text(row.contender, true),
                     response_text(row.base, !both_saturated));
}

const load_row* load_of(const results& found, const cost_row& row) {
  for (const auto& each : found.loads)
    if (each.scenario == row.scenario && each.comparison == row.comparison) return &each;
  return nullptr;
}

}  // namespace

std::vector<std::string> headlines_of(const results& found) {
  if (const auto* wrong = first_of<caveats::run_void>(found.caveats))
    return {"VOID: " + text_of(*wrong)};
  std::vector<std::string> sentences;
  const auto pairs = pairs_of(found);
  for (const auto& pair : pairs) {
    // A control: its difference is known beforehand.
    if (injected_ns(pair.contender) && pairs.size() > 1) continue;
    const cost_row* leading = nullptr;
    for (const auto* row : costs_of(found, pair)) {
      if (row->ratio.n == 0 && row->verdict.what != finding::unmeasured) continue;
      if (!leading || row->scenario.text() == headline_scenario) leading = row;
    }
    if (!leading) continue;
    if (leading->verdict.what != finding::unmeasured)
      sentences.push_back(headline_of(*leading));
    else if (const auto* load = load_of(found, *leading))
      sentences.push_back(headline_of(*load));
    else
      sentences.push_back(fmt::format("On {}, {} against {}: CPU {}", leading->scenario.text(),
                                      pair.contender, pair.base, leading->verdict.words));
  }
  if (!sentences.empty()) return sentences;
  for (const auto& row : found.open_loops) sentences.push_back(headline_of(row));
  return sentences;
}

}  // namespace bench
