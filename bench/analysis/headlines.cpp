#include <bench/analysis/headlines.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <bench/analysis/caveats.hpp>
#include <bench/server/catalogue.hpp>
#include <bench/text/numbers.hpp>
#include <cmath>
#include <string_view>
#include <utility>

namespace bench {
namespace {

// The leading sentence: "fibers/epoll costs 55 ns [40, 70] per message above the bare loop,
// asio-callback/epoll 512 [430, 570]", and how far to believe that. Without a floor: CPU per
// message.
std::string headline_of(const cost_row& row, const results& found) {
  const auto where = "On " + row.scenario.text() + ", ";
  if (row.contender.overhead_ns && row.base.overhead_ns)
    return fmt::format("{}{} costs {} per message above the bare loop, {} {}{}", where,
                       row.contender.server,
                       interval_text(row.contender.overhead_ns, ns_text, "ns"), row.base.server,
                       interval_text(row.base.overhead_ns, ns_text),
                       found.calibration ? "; " + calibration_text(*found.calibration) : "");
  return fmt::format("{}{} costs {} of CPU a message, {} {}", where, row.contender.server,
                     interval_text(row.contender.cpu_ns, ns_text, "ns"), row.base.server,
                     interval_text(row.base.cpu_ns, ns_text));
}

std::string signless_percent(double ratio) {
  return fmt::format("{:.1f}", 100 * std::abs(ratio - 1));
}

// "6.6 % less CPU per message than B [5.2, 8.0]"
std::string difference_text(const overall_metric& of, std::string_view less, std::string_view more,
                            const std::string& base) {
  const bool below = of.ratio.value < 1;
  const double sign = below ? -100 : 100;
  const double one = sign * (of.ratio.range->low - 1), other = sign * (of.ratio.range->high - 1);
  return fmt::format("{} % {} than {} [{:.1f}, {:.1f}]", signless_percent(of.ratio.value),
                     below ? less : more, base, std::min(one, other), std::max(one, other));
}

std::string range_text(const overall_metric& of) {
  if (!of.ratio.range)
    return fmt::format("{} {} too few for an interval", of.ratio.n,
                       of.ratio.n == 1 ? "round is" : "rounds are");
  return fmt::format("the truth lies in [{:+.1f}, {:+.1f}] %", 100 * (of.ratio.range->low - 1),
                     100 * (of.ratio.range->high - 1));
}

bool is_difference(finding what) {
  return what == finding::lower || what == finding::higher;
}

bool is_equal(finding what) {
  return what == finding::equivalent || what == finding::tiny;
}

std::string where_text(const std::vector<scenario>& loads) {
  return loads.size() == 1 ? "On " + loads.front().text()
                           : fmt::format("Over {} loads", loads.size());
}

// How the two differ in one metric, in words for it.
struct metric_words {
  std::string_view name;     // "CPU per message"
  std::string_view verb;     // "use" in "seems to use"
  std::string_view third;    // "uses"
  std::string_view less;     // "less CPU per message"
  std::string_view more;     // "more CPU per message"
  std::string_view equally;  // "use equally much CPU per message"
};
constexpr metric_words in_cpu{"CPU per message",
                              "use",
                              "uses",
                              "less CPU per message",
                              "more CPU per message",
                              "use equally much CPU per message"};
constexpr metric_words in_throughput{"throughput",    "answer",
                                     "answers",       "fewer messages",
                                     "more messages", "answer equally many messages"};

// "Over 7 loads, A uses 6.6 % less CPU per message than B [5.2, 8.0]"
std::string answer_text(const overall_metric& of, const comparison& pair,
                        const metric_words& words) {
  const auto where = where_text(of.loads);
  if (is_equal(of.verdict.what))
    return fmt::format("{}, {} and {} {}: {}", where, pair.contender, pair.base, words.equally,
                       range_text(of));
  if (is_difference(of.verdict.what))
    return fmt::format("{}, {} {} {}", where, pair.contender, words.third,
                       difference_text(of, words.less, words.more, pair.base));
  if (of.ratio.range && of.ratio.range->excludes(1))  // but not so among all rows of the run
    return fmt::format("{}, {} seems to {} {}, which more rounds would have to confirm", where,
                       pair.contender, words.verb,
                       difference_text(of, words.less, words.more, pair.base));
  return fmt::format("{}, no difference in {} is proved between {} and {}: {}", where, words.name,
                     pair.contender, pair.base, range_text(of));
}

// The throughput of servers that the client could not load fully is not theirs.
std::string why_no_throughput(const results& found, const comparison& pair) {
  for (const auto& load : found.loads)
    if (load.comparison == pair && load.throughput_verdict)
      return fmt::format("The throughput of {} and {} is {}", pair.contender, pair.base,
                         load.throughput_verdict->words);
  return {};
}

// What the run says of two servers over all loads: of their CPU, and of their throughput. Empty:
// nothing can be said of their CPU.
std::vector<std::string> answers_of(const results& found, const comparison& pair) {
  if (!found.overall) return {};
  std::vector<std::string> answers;
  for (const auto& row : *found.overall) {
    if (row.comparison != pair || !row.cpu || row.cpu->ratio.n == 0) continue;
    answers.push_back(answer_text(*row.cpu, pair, in_cpu));
    auto throughput = row.throughput && row.throughput->ratio.n > 0
                          ? answer_text(*row.throughput, pair, in_throughput)
                          : why_no_throughput(found, pair);
    if (!throughput.empty()) answers.push_back(std::move(throughput));
  }
  return answers;
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

std::string calibration_text(const calibration& of) {
  return fmt::format("{} ns that a control burnt on {} read as {}", ns_text(of.burnt_ns),
                     of.scenario.text(), interval_text(of.read_ns, ns_text));
}

std::vector<std::string> headlines_of(const results& found) {
  if (const auto* wrong = first_of<caveats::run_void>(found.caveats))
    return {"VOID: " + text_of(*wrong)};
  if (const auto why = ruin_of(found); !why.empty()) return {"No verdict: " + why};
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
    for (auto& answer : answers_of(found, pair)) sentences.push_back(std::move(answer));
    if (leading->verdict.what != finding::unmeasured)
      sentences.push_back(headline_of(*leading, found));
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
