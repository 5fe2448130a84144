// expectation: a limit for what a load measures.
//
//     const auto limit = expectation::parse("p99 < 2ms");
//     limit.measured_by(sample);       // 1.8e6: nanoseconds
//     limit.holds(1.8e6);              // true
//     limit.in_its_unit(1.8e6);        // "1.80 ms"
//
// p99<2ms, p99.9<=500us, max<1s    of the response times: a percentile or the longest
// rate>100k, rate>=1.5M            messages per second that were answered
#pragma once

#include <bench/load/sample.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace bench {

class expectation {
 public:
  // Throws std::invalid_argument, which says what is accepted.
  static expectation parse(std::string_view text);

  const std::string& text() const { return text_; }  // as it was given, without blanks
  bool is_of_rate() const { return percent_ == 0; }
  bool is_upper_limit() const { return sign_.front() == '<'; }

  double limit() const { return limit_; }  // nanoseconds, or messages per second

  // Nanoseconds, or messages per second. NaN: too few messages for this
  // percentile, see enough_for(); infinite: see response_ns().
  double measured_by(const load_sample& sample) const;

  // So many messages are enough for its percentile, and no fewer than 100.
  double least_messages() const;

  // NaN never holds.
  bool holds(double measured) const;

  // A measured value in the unit of the limit, as in "1.80 ms"; "too few messages" for NaN, and
  // "never" for infinity.
  std::string in_its_unit(double measured) const;

 private:
  std::string text_;
  double percent_ = 0;  // of the response times; 0: this is of the rate
  std::string sign_;    // < <= > >=
  double limit_ = 0;
  double unit_ = 1;  // of the limit, in nanoseconds or messages per second
  std::string unit_name_;
};

// Messages per second as in 20000, 20k or 1.5M. nullopt: it is no such number, or not from 1 to
// max_rate.
std::optional<int> parse_rate(std::string_view text);

// Why parse_rate() gave none: "'fast' is not 1 to 10000000 messages per second, as in ...".
std::string not_a_rate(std::string_view text);

}  // namespace bench
