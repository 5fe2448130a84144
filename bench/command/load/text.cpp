#include <bench/command/load/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <bench/contract/printable.hpp>
#include <bench/hosts/fleet.hpp>
#include <bench/report/forms.hpp>
#include <bench/report/table.hpp>
#include <bench/statistics/statistics.hpp>
#include <bench/text/numbers.hpp>
#include <bench/text/wrapped.hpp>
#include <cmath>

namespace bench {
namespace {

constexpr int widest = 80;
constexpr int most_bars = 10;

const char* micro(const style& on) {
  return on.unicode ? "µs" : "us";
}

// Cyan and yellow are distinct also for the colour-blind.
std::string good(const std::string& word, const style& on) {
  return on.colour ? "\x1b[1;36m" + word + "\x1b[0m" : word;
}
std::string bad(const std::string& word, const style& on) {
  return on.colour && !word.empty() ? "\x1b[1;33m" + word + "\x1b[0m" : word;
}

std::string cell_of(const std::optional<double>& us) {
  return !us ? "-" : std::isinf(*us) ? "never" : microseconds_text(*us);
}

std::string title_text(const load_outcome& found) {
  const auto& load = found.load;
  return fmt::format("{}   {}   {}{}   {:.1f} s\n", printable(found.target), load.text(),
                     load.open_loop() ? "open loop" : "closed loop", found.tls ? ", TLS" : "",
                     found.measured.seconds);
}

std::string throughput_text(const load_outcome& found, const style& on) {
  const auto& seen = found.measured;
  const auto rate = seen.messages_per_second();
  const bool echoed = found.load.asks == service::echo && !found.load.one_way;
  auto text = fmt::format("throughput   {} messages/s, {:.1f} MB/s {}\n", count_text(rate),
                          rate * found.load.message_bytes / 1e6, echoed ? "each way" : "sent");
  if (found.load.open_loop())
    text += fmt::format("due          {} messages/s, of which {} were answered{}\n",
                        count_text(found.load.rate_per_second),
                        percent_text(std::min(1.0, seen.answered_share())),
                        seen.saturated() ? bad(": saturated", on) : "");
  if (seen.unanswered > 0)
    text += fmt::format("no reply     to {} messages, which count as infinitely late\n",
                        count_text(static_cast<double>(seen.unanswered)));
  return text;
}

table percentiles_of(const load_outcome& found, const style& on) {
  const auto& seen = found.measured;
  table shown;
  shown.columns.push_back({"latency", fmt::format("latency, {}", micro(on)), column_kind::word});
  for (const double percent : shown_percents) {
    const auto name = percent < 100 ? fmt::format("p{}", percent) : "max";
    shown.columns.push_back({name, name});
  }
  const auto add = [&](const char* name, auto at) {
    auto& row = shown.rows.emplace_back();
    row.emplace_back(name);
    for (const double percent : shown_percents) row.emplace_back(cell_of(at(percent)));
  };
  const bool open = found.load.open_loop();
  add(open ? "since due" : "since sent",
      [&](double percent) { return response_us(seen, percent); });
  if (!open) return shown;
  add("since sent", [&](double percent) { return percentile_us(seen.service_ns, percent); });
  add("client late", [&](double percent) { return percentile_us(seen.late_ns, percent); });
  return shown;
}

// The upper ends of the bars, in nanoseconds. They grow by the same factor up to p99, so that their
// lengths can be compared; the last bar holds the tail.
std::vector<double> ends_of_bars(const histogram& times) {
  const double low = times.percentile(1);
  const double high = std::max(times.percentile(99), low);
  std::vector<double> ends;
  for (int i = 1; i < most_bars; ++i) {
    const double end = low * std::pow(high / low, static_cast<double>(i) / (most_bars - 1));
    if (ends.empty() || end >= ends.back() * 1.01) ends.push_back(end);
  }
  const auto last = static_cast<double>(times.max());
  if (last >= ends.back() * 1.01)
    ends.push_back(last);
  else
    ends.back() = last;
  return ends;
}

// The shares are of all messages that got a reply or should have got one.
std::string bars_text(const load_sample& seen, const style& on) {
  const auto& times = seen.latency_ns;
  if (times.max() == 0) return "";
  const auto all = seen.asked();
  const auto ends = ends_of_bars(times);
  std::vector<double> shares(ends.size());
  for (std::size_t bucket = 0; bucket < histogram::buckets; ++bucket) {
    const auto value = static_cast<double>(histogram::highest_in(bucket));
    const auto place = std::lower_bound(ends.begin(), ends.end() - 1, value) - ends.begin();
    shares[static_cast<std::size_t>(place)] += static_cast<double>(times.counts()[bucket]) / all;
  }
  const bool some_never = seen.unanswered > 0;
  if (some_never) shares.push_back(static_cast<double>(seen.unanswered) / all);
  const double longest = *std::max_element(shares.begin(), shares.end());
  const int width = std::min(on.width, widest) - 30;
  std::string text = "\n";
  for (std::size_t i = 0; i < shares.size(); ++i) {
    const auto bar = bar_text(shares[i] / longest, width, on.unicode);
    const auto name = i < ends.size() ? fmt::format("up to {:>10} {}",
                                                    microseconds_text(ends[i] / 1000), micro(on))
                                      : fmt::format("{:<19}", "never");
    const auto line = fmt::format("{}  {:>7}  {}", name, percent_text(shares[i]), bar);
    text += line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
  }
  return text + '\n';
}

// The hosts that answer much later than the others, by name.
std::string slower_hosts_text(const load_sample& seen, const style& on) {
  std::string text;
  for (const auto& host : seen.hosts) {
    std::vector<double> others;
    for (const auto& each : seen.hosts)
      if (each.host != host.host && each.messages > 0) others.push_back(each.p50_us);
    if (others.empty() || !answers_much_later(host.p50_us, median(others))) continue;
    text += fmt::format("slower       {}\n",
                        bad(fmt::format("{}: p50 {} {}, of the others {}", printable(host.host),
                                        microseconds_text(host.p50_us), micro(on),
                                        microseconds_text(median(others))),
                            on));
  }
  return text;
}

// Each host with its own clock and its own histogram.
std::string hosts_text(const load_outcome& found, const style& on) {
  if (found.hosts.empty() || found.measured.hosts.size() != found.hosts.size()) return "";
  table shown;
  shown.columns = {{"host:generators", "host", column_kind::name},
                   {"messages", "messages"},
                   {"p50", fmt::format("p50, {}", micro(on))},
                   {"p99", "p99"},
                   {"late p99", "late p99"},
                   {"CPU", "CPU"},
                   {"started within", "skew"},
                   {"segments sent again", "resent"}};
  for (std::size_t i = 0; i < found.hosts.size(); ++i) {
    const auto& host = found.hosts[i];
    const auto& seen = found.measured.hosts[i];
    shown.rows.push_back({fmt::format("{}:{}", printable(host.name), host.generators),
                          count_text(static_cast<double>(seen.messages)),
                          microseconds_text(seen.p50_us), microseconds_text(seen.p99_us),
                          found.load.open_loop() ? microseconds_text(seen.late_p99_us) : "-",
                          fmt::format("{:.0f} %", seen.client_utilisation * 100),
                          microseconds_text(seen.start_skew_us),
                          count_text(static_cast<double>(seen.retransmits))});
  }
  return fmt::format("load from {}\n", text_of(found.hosts)) + terminal_table(shown, on) +
         slower_hosts_text(found.measured, on) + '\n';
}

std::string payload_line(const load_outcome& found) {
  if (found.failure && found.failure->kind == load_error::wrong_reply)
    return "payload      wrong: see the error\n";
  const auto echo = found.prefix.empty() ? "; no prefix" : "; prefix " + prefix_text(found.prefix);
  return fmt::format("payload      ok: {} replies, every byte compared{}\n",
                     count_text(static_cast<double>(found.measured.messages)),
                     found.load.asks == service::echo && !found.load.one_way ? echo : "");
}

std::string_view words_of(load_error kind) {
  switch (kind) {
    case load_error::wrong_reply:
      return "a wrong reply";
    case load_error::connection_lost:
      return "a lost connection";
    case load_error::no_answer:
      return "no answer in time";
    case load_error::cannot_connect:
      return "no connection";
    case load_error::other:
      break;
  }
  return "an error of the client";
}

std::string errors_line(const load_outcome& found, const style& on) {
  if (!found.failure) return "errors       none\n";
  return fmt::format("errors       {}: the load ended there\n",
                     bad(std::string{words_of(found.failure->kind)}, on));
}

std::string client_line(const load_outcome& found, const style& on) {
  const auto& seen = found.measured;
  const auto whose = !found.hosts.empty() ? fmt::format(", the busiest of {}", text_of(found.hosts))
                     : found.threads > 1 ? fmt::format(", the busiest of {} threads", found.threads)
                                         : "";
  const auto* remark = seen.client_is_the_limit() ? ": the client is the limit, not the server"
                       : seen.client_is_late() ? ": it was late, so most of the latency is its own"
                                               : "";
  return fmt::format("client       {:.0f} % of a core{}{}\n", seen.client_utilisation * 100, whose,
                     bad(remark, on));
}

std::string expectations_text(const load_outcome& found, const style& on) {
  std::string text;
  for (const auto& each : found.expectations)
    text += fmt::format("expected     {}: {}{}, {}\n", each.wanted.text(),
                        std::isnan(each.measured) ? "" : "measured ",
                        each.wanted.in_its_unit(each.measured),
                        each.holds() ? good("holds", on) : bad("fails", on));
  return text;
}

std::string remark_of(const rate_step& step) {
  std::string text = step.holds ? "holds" : "fails";
  if (step.saturated) text += ", saturated";
  if (step.client_is_the_limit && !step.holds) text += ", by the client";
  return text;
}

table steps_of(const searched_rate& found) {
  table shown;
  shown.columns = {{"due/s", "due/s"},
                   {"answered/s", "answered/s"},
                   {found.limit.text(), found.limit.text()},
                   {"", "", column_kind::word},
                   {"limit", "limit", column_kind::word}};
  shown.columns[3].brief = " ";
  for (const auto& each : found.search.steps())
    shown.rows.push_back({count_text(each.rate_per_second), count_text(each.answered_per_second),
                          found.limit.in_its_unit(each.measured), "", remark_of(each)});
  return shown;
}

std::string limiter_text(const rate_search& search) {
  const auto failing = search.lowest_failing();
  if (!failing) return "no higher rate has failed twice";
  const auto rate = count_text(*failing);
  switch (search.limited_by()) {
    case rate_limiter::server:
      return fmt::format("at {}/s the server is saturated", rate);
    case rate_limiter::client:
      return fmt::format("at {}/s the client is the limit, not the server", rate);
    default:
      return fmt::format("at {}/s the server keeps up, but the limit fails", rate);
  }
}

std::string rate_line(const searched_rate& found, const style& on) {
  const auto& [limit, search] = found;
  if (const auto best = search.best())
    return fmt::format("rate         {} messages/s: {} held there twice\n",
                       good(count_text(*best), on), limit.text());
  if (search.cannot_tell())
    return fmt::format(
        "rate         {}: the time was too short to tell; a step takes five\n"
        "             times the limit and at least {} messages\n",
        bad("unknown", on), count_text(limit.least_messages()));
  return fmt::format("rate         {}: {} held twice at no rate\n", bad("none", on), limit.text());
}

std::string search_text(const load_outcome& found, const style& on) {
  const auto& [limit, search] = *found.search;
  if (search.steps().empty() && found.end != load_end::complete) return "";
  auto text = fmt::format("{}   {}   highest rate with {}\n\n", printable(found.target),
                          found.load.text(), limit.text());
  if (!search.steps().empty()) text += terminal_table(steps_of(*found.search), on) + '\n';
  text += rate_line(*found.search, on);
  if (search.cannot_tell()) return text;
  text += "limited      " + limiter_text(search) + '\n';
  const auto best = search.best();
  const auto failing = search.lowest_failing();
  if (best && failing && !search.is_precise())
    text += fmt::format("accuracy     between {}/s and {}/s; a longer --duration narrows that\n",
                        count_text(*best), count_text(*failing));
  return text;
}

}  // namespace

std::string load_text(const load_outcome& found, const style& given) {
  auto on = given;
  on.width = std::min(given.width, widest);
  if (found.search) return search_text(found, on) + expectations_text(found, on);
  if (found.measured.messages == 0) return "";
  return title_text(found) + throughput_text(found, on) + '\n' +
         terminal_table(percentiles_of(found, on), on) + bars_text(found.measured, on) +
         hosts_text(found, on) + client_line(found, on) + payload_line(found) +
         errors_line(found, on) + expectations_text(found, on);
}

std::string live_text(const load_sample& lately, std::chrono::duration<double> left,
                      const style& on) {
  const auto us = [&](double percent) {
    return microseconds_text(lately.latency_ns.percentile(percent) / 1000);
  };
  return fmt::format("{:>10} messages/s   p50 {} {}   p99 {} {}   left {}",
                     count_text(lately.messages_per_second()), us(50), micro(on), us(99), micro(on),
                     clock_text(left));
}

std::string live_text(const expectation& limit, const rate_step& step) {
  return fmt::format("{:>10}/s   {}: {}   {}", count_text(step.rate_per_second), limit.text(),
                     limit.in_its_unit(step.measured), remark_of(step));
}

load_sample difference(const load_sample& now, const load_sample& before) {
  load_sample found;
  found.seconds = now.seconds - before.seconds;
  found.messages = now.messages - before.messages;
  for (std::size_t i = 0; i < histogram::buckets; ++i)
    found.latency_ns.add(i, now.latency_ns.counts()[i] - before.latency_ns.counts()[i]);
  return found;
}

}  // namespace bench
