#include <bench/report/rates/curve_tables.hpp>

#include <fmt/format.h>

#include <bench/analysis/rates/rate_curve.hpp>
#include <bench/report/tables.hpp>
#include <bench/report/trust.hpp>
#include <bench/text/numbers.hpp>
#include <string>

namespace bench {
namespace {

using text_of_number = std::string (*)(double);

std::string ns_as_us(double ns) {
  return microseconds_text(ns / 1000);
}

cell side_cell(const server_at_rate& of, const estimate& shown, text_of_number number) {
  return of.saturated ? cell{"saturated"} : value_cell(shown, number);
}

// Both are asked for the same rate. Under the full load each answers what it can.
std::string asked_text(const rate_point& point) {
  const auto text = [](const server_at_rate& side) {
    const auto& rate = side.messages_per_second;
    return rate.n > 0 ? count_text(rate.value) + (side.client_limited ? "*" : "") : "n/a";
  };
  if (point.scenario.open_loop()) return text(point.contender);
  return fmt::format("{} / {}", text(point.contender), text(point.base));
}

const column load_column{"load", "load", column_kind::word};
const column rate_column{"messages/s", "messages/s"};

// "c64/512: fibers/epoll against asio-callback/epoll"
std::string subject_of(const rate_curve& curve) {
  return fmt::format("{}: {}", curve.load.text(), pair_title(curve.comparison));
}

bool is_client_limited(const rate_curve& curve) {
  const auto& last = curve.points.back();
  return last.contender.client_limited || last.base.client_limited;
}

}  // namespace

std::vector<rate_curve> curves_of(const results& found) {
  return found.rate_curves.value_or(std::vector<rate_curve>{});
}

table curve_cost_table(const rate_curve& curve) {
  const auto [contender, base] = short_names(curve.comparison);
  table shown{
      .title = "CPU per message over the rate, " + subject_of(curve),
      .note = fmt::format(
          "One server is loaded at a time, both at the same rate; \"full\" is a closed loop, in "
          "which each answers what it can ({} / {}). Ratio below 1: {} uses less.{}",
          contender, base, contender,
          is_client_limited(curve) ? " *: the client was the limit." : ""),
      .columns = {load_column,
                  rate_column,
                  {contender + ", µs", contender + ", µs"},
                  {base + ", µs", base + ", µs"},
                  {"ratio [95 %]", "ratio"},
                  {"verdict", "verdict", column_kind::verdict}}};
  for (const auto& point : curve.points)
    shown.rows.push_back({rate_words(point),
                          asked_text(point),
                          side_cell(point.contender, point.contender.cpu_ns, ns_as_us),
                          side_cell(point.base, point.base.cpu_ns, ns_as_us),
                          interval_cell(point.cpu.ratio, ratio_text),
                          {point.cpu.verdict.words, std::string{word_of(point.cpu.verdict.what)}}});
  return shown;
}

table curve_latency_table(const rate_curve& curve) {
  const auto [contender, base] = short_names(curve.comparison);
  table shown{
      .title = "Latency over the rate in µs, " + subject_of(curve),
      .note = "At a rate from when a message was due; under the full load from when it was sent.",
      .columns = {load_column,
                  rate_column,
                  {"p50 " + contender, "p50 " + contender},
                  {"p50 " + base, "p50 " + base},
                  {"p99 " + contender, "p99 " + contender},
                  {"p99 " + base, "p99 " + base}}};
  for (const auto& point : curve.points)
    shown.rows.push_back({rate_words(point), asked_text(point),
                          side_cell(point.contender, point.contender.p50_us, microseconds_text),
                          side_cell(point.base, point.base.p50_us, microseconds_text),
                          side_cell(point.contender, point.contender.p99_us, microseconds_text),
                          side_cell(point.base, point.base.p99_us, microseconds_text)});
  return shown;
}

}  // namespace bench
