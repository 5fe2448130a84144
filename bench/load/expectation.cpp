#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bench/load/expectation.hpp>
#include <bench/record/scenario.hpp>
#include <bench/text/numbers.hpp>
#include <charconv>
#include <cmath>
#include <span>
#include <stdexcept>

namespace bench {
namespace {

struct unit {
  std::string_view sign;
  double size;
};

constexpr std::array units_of_time{unit{"ns", 1}, unit{"us", 1e3}, unit{"µs", 1e3}, unit{"ms", 1e6},
                                   unit{"s", 1e9}};
constexpr std::array units_of_rate{unit{"", 1}, unit{"k", 1e3}, unit{"M", 1e6}};

[[noreturn]] void reject(std::string_view text) {
  throw std::invalid_argument(
      fmt::format("'{}' is not a limit such as p99<2ms, p99.9<=500us, max<1s or rate>100k", text));
}

// Removes a number above 0 from the front of `text`.
std::optional<double> take_positive(std::string_view& text) {
  double number = 0;
  const auto* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (error != std::errc{} || !std::isfinite(number) || number <= 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(rest - text.data()));
  return number;
}

const unit* find_unit(std::span<const unit> units, std::string_view sign) {
  const auto found =
      std::find_if(units.begin(), units.end(), [&](const unit& each) { return each.sign == sign; });
  return found == units.end() ? nullptr : &*found;
}

// The percent of "p99.9" and "max"; 0 for "rate".
std::optional<double> percent_of(std::string_view name) {
  if (name == "rate") return 0;
  if (name == "max") return 100;
  if (!name.starts_with('p')) return std::nullopt;
  name.remove_prefix(1);
  const auto percent = take_positive(name);
  return name.empty() && percent && *percent <= 100 ? percent : std::nullopt;
}

}  // namespace

expectation expectation::parse(std::string_view given) {
  expectation found;
  std::copy_if(given.begin(), given.end(), std::back_inserter(found.text_),
               [](char each) { return each != ' '; });
  const std::string_view text = found.text_;
  const auto sign = text.find_first_of("<>");
  if (sign == std::string_view::npos) reject(given);
  const bool or_equal = text.substr(sign + 1).starts_with('=');
  found.sign_ = text.substr(sign, or_equal ? 2 : 1);

  auto rest = text.substr(sign + found.sign_.size());
  const auto percent = percent_of(text.substr(0, sign));
  const auto number = take_positive(rest);
  if (!percent || !number) reject(given);
  found.percent_ = *percent;
  const auto* of = found.is_of_rate() ? find_unit(units_of_rate, rest)  //
                                      : find_unit(units_of_time, rest);
  if (of == nullptr) reject(given);
  found.unit_ = of->size;
  found.unit_name_ = of->sign;
  found.limit_ = *number * of->size;
  return found;
}

double expectation::measured_by(const load_sample& sample) const {
  if (is_of_rate()) return sample.messages_per_second();
  if (!enough_for(percent_, sample.asked())) return std::nan("");
  return sample.response_ns(percent_);
}

double expectation::least_messages() const {
  constexpr double fewest = 100;
  return percent_ < 100 ? std::max(fewest, fewest_above * 100 / (100 - percent_)) : fewest;
}

bool expectation::holds(double measured) const {
  if (sign_ == "<") return measured < limit_;
  if (sign_ == "<=") return measured <= limit_;
  if (sign_ == ">") return measured > limit_;
  return measured >= limit_;
}

std::string expectation::in_its_unit(double measured) const {
  if (std::isnan(measured)) return "too few messages";
  if (std::isinf(measured)) return "never";
  if (is_of_rate()) return count_text(measured) + "/s";
  return fmt::format("{} {}", microseconds_text(measured / unit_), unit_name_);
}

std::optional<int> parse_rate(std::string_view text) {
  const auto number = take_positive(text);
  const auto* of = find_unit(units_of_rate, text);
  if (!number || of == nullptr) return std::nullopt;
  const double rate = std::round(*number * of->size);
  if (rate < 1 || rate > max_rate) return std::nullopt;
  return static_cast<int>(rate);
}

std::string not_a_rate(std::string_view text) {
  return fmt::format("'{}' is not 1 to {} messages per second, as in 20000, 20k or 1.5M", text,
                     max_rate);
}

}  // namespace bench
