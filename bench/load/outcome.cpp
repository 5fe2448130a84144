#include <algorithm>
#include <bench/load/failure_form.hpp>
#include <bench/load/outcome.hpp>
#include <bench/text/described_json.hpp>
#include <bench/text/failure.hpp>
#include <cmath>

namespace bench {
BOOST_DESCRIBE_ENUM(load_end, complete, interrupted, failed)
BOOST_DESCRIBE_ENUM(rate_limiter, none_met, latency, server, client)

namespace {

struct times_json {
  std::int64_t count;
  std::optional<double> p50_us, p75_us, p90_us, p99_us, p99_9_us, p99_99_us, max_us;
};
BOOST_DESCRIBE_STRUCT(times_json, (),
                      (count, p50_us, p75_us, p90_us, p99_us, p99_9_us, p99_99_us, max_us))

struct open_loop_json {
  int due_per_second;
  std::int64_t due_messages;
  std::int64_t unanswered_messages;
  double answered_share;
  bool saturated;
  bool client_is_late;
  times_json service;
  times_json client_late;
};
BOOST_DESCRIBE_STRUCT(open_loop_json, (),
                      (due_per_second, due_messages, unanswered_messages, answered_share, saturated,
                       client_is_late, service, client_late))

// What one host measured, and how many generators it had.
struct host_json {
  std::string host;
  int generators;
  std::int64_t messages;
  double p50_us, p99_us, late_p99_us;
  double client_core_share;
  double start_skew_us;
  std::int64_t retransmits;
};
BOOST_DESCRIBE_STRUCT(host_json, (),
                      (host, generators, messages, p50_us, p99_us, late_p99_us, client_core_share,
                       start_skew_us, retransmits))

struct measured_json {
  double seconds;
  std::int64_t messages;
  double messages_per_second;
  double bytes_per_second_each_way;
  double client_core_share;
  bool client_is_the_limit;
  times_json latency;
  std::optional<open_loop_json> open_loop;
  std::optional<std::vector<host_json>> hosts;
  std::optional<std::int64_t> messages_in_all;
};
BOOST_DESCRIBE_STRUCT(measured_json, (),
                      (seconds, messages, messages_per_second, bytes_per_second_each_way,
                       client_core_share, client_is_the_limit, latency, open_loop, hosts,
                       messages_in_all))

// `measured` is in nanoseconds or messages per second.
struct expectation_json {
  std::string text;
  std::optional<double> measured_us;
  std::optional<double> measured_per_second;
  bool holds;
};
BOOST_DESCRIBE_STRUCT(expectation_json, (), (text, measured_us, measured_per_second, holds))

struct step_json {
  double due_per_second;
  double answered_per_second;
  std::optional<double> measured_us;
  bool holds;
  bool saturated;
  bool client_is_the_limit;
  double seconds;
};
BOOST_DESCRIBE_STRUCT(step_json, (),
                      (due_per_second, answered_per_second, measured_us, holds, saturated,
                       client_is_the_limit, seconds))

struct search_json {
  std::string limit;
  std::optional<double> rate_per_second;
  std::optional<double> lowest_failing_per_second;
  rate_limiter limited_by;
  bool is_precise;
  std::vector<step_json> steps;
};
BOOST_DESCRIBE_STRUCT(search_json, (),
                      (limit, rate_per_second, lowest_failing_per_second, limited_by, is_precise,
                       steps))

struct outcome_form {
  std::string target;
  std::string load;
  bool tls;
  int client_threads;
  std::string reply_prefix;
  load_end end;
  std::optional<load_failure> failure;
  std::optional<measured_json> measured;
  std::vector<expectation_json> expectations;
  std::optional<search_json> find_rate;
};
BOOST_DESCRIBE_STRUCT(outcome_form, (),
                      (target, load, tls, client_threads, reply_prefix, end, failure, measured,
                       expectations, find_rate))

template <class PercentileOf>
times_json times_of(const histogram& times, PercentileOf at) {
  return {static_cast<std::int64_t>(times.count()),
          at(50),
          at(75),
          at(90),
          at(99),
          at(99.9),
          at(99.99),
          at(100)};
}

times_json times_of(const histogram& times) {
  return times_of(times, [&](double percent) { return percentile_us(times, percent); });
}

std::vector<host_json> forms_of(const std::vector<load_host>& hosts,
                                const std::vector<host_share>& shares) {
  std::vector<host_json> forms;
  for (std::size_t i = 0; i < hosts.size() && i < shares.size(); ++i) {
    const auto& seen = shares[i];
    forms.push_back({seen.host, hosts[i].generators, seen.messages, seen.p50_us, seen.p99_us,
                     seen.late_p99_us, seen.client_utilisation, seen.start_skew_us,
                     seen.retransmits});
  }
  return forms;
}

measured_json form_of(const load_outcome& found) {
  const auto& load = found.load;
  const auto& seen = found.measured;
  measured_json form{};
  form.seconds = seen.seconds;
  form.messages = seen.messages;
  form.messages_per_second = seen.messages_per_second();
  form.bytes_per_second_each_way = seen.messages_per_second() * load.message_bytes;
  form.client_core_share = seen.client_utilisation;
  form.client_is_the_limit = seen.client_is_the_limit();
  form.latency =
      times_of(seen.latency_ns, [&](double percent) { return response_us(seen, percent); });
  if (load.open_loop()) {
    form.open_loop = open_loop_json{load.rate_per_second,      seen.due,
                                    seen.unanswered,           seen.answered_share(),
                                    seen.saturated(),          seen.client_is_late(),
                                    times_of(seen.service_ns), times_of(seen.late_ns)};
  }
  if (!found.hosts.empty()) {
    form.hosts = forms_of(found.hosts, seen.hosts);
    form.messages_in_all = seen.messages_in_all;
  }
  return form;
}

expectation_json form_of(const judged_expectation& judged) {
  expectation_json form{judged.wanted.text(), {}, {}, judged.holds()};
  if (judged.wanted.is_of_rate())
    form.measured_per_second = judged.measured;
  else
    form.measured_us = judged.measured / 1000;
  return form;
}

search_json form_of(const searched_rate& found) {
  search_json form{
      found.limit.text(),        found.search.best(),       found.search.lowest_failing(),
      found.search.limited_by(), found.search.is_precise(), {}};
  for (const auto& each : found.search.steps())
    form.steps.push_back({each.rate_per_second, each.answered_per_second, each.measured / 1000,
                          each.holds, each.saturated, each.client_is_the_limit, each.seconds});
  return form;
}

}  // namespace

bool load_outcome::all_hold() const {
  return std::all_of(expectations.begin(), expectations.end(),
                     [](const auto& each) { return each.holds(); });
}

load_failure failure_of(const std::exception& error) {
  const auto kind = [&] {
    if (dynamic_cast<const wrong_reply*>(&error)) return load_error::wrong_reply;
    if (dynamic_cast<const connection_lost*>(&error)) return load_error::connection_lost;
    if (dynamic_cast<const no_answer*>(&error)) return load_error::no_answer;
    if (dynamic_cast<const cannot_connect*>(&error)) return load_error::cannot_connect;
    return load_error::other;
  }();
  return {kind, error.what()};
}

void throw_again(const load_failure& failure) {
  switch (failure.kind) {
    case load_error::wrong_reply:
      throw wrong_reply(failure.text);
    case load_error::connection_lost:
      throw connection_lost(failure.text);
    case load_error::no_answer:
      throw no_answer(failure.text);
    case load_error::cannot_connect:
      throw cannot_connect(failure.text);
    case load_error::other:
      break;
  }
  throw run_invalid(failure.text);
}

std::optional<double> percentile_us(const histogram& times, double percent) {
  if (!enough_for(percent, static_cast<double>(times.count()))) return std::nullopt;
  return times.percentile(percent) / 1000;
}

std::optional<double> response_us(const load_sample& sample, double percent) {
  if (!enough_for(percent, sample.asked())) return std::nullopt;
  return sample.response_ns(percent) / 1000;
}

std::string outcome_json(const load_outcome& found) {
  outcome_form form{found.target,
                    found.load.text(),
                    found.tls,
                    found.threads,
                    found.prefix,
                    found.end,
                    found.failure,
                    {},
                    {},
                    {}};
  if (!found.search) form.measured = form_of(found);
  for (const auto& each : found.expectations) form.expectations.push_back(form_of(each));
  if (found.search) form.find_rate = form_of(*found.search);
  return indented_json_text(to_json(form)) + '\n';
}

std::string_view word_of(rate_limiter limit) {
  return boost::describe::enum_to_string(limit, "");
}

}  // namespace bench
