#include <algorithm>
#include <bench/load/find_rate.hpp>
#include <cmath>

namespace bench {
namespace {

constexpr double usual_steps = 24;  // four to double, five to narrow, most of them twice or thrice

// Three digits are finer than any precision that a measurement has.
double three_digits_of(double rate) {
  const double unit = std::pow(10, std::max(0.0, std::floor(std::log10(rate)) - 2));
  return std::max(1.0, std::round(rate / unit) * unit);
}

}  // namespace

double rate_search::step_seconds(double rate) const {
  const double most = std::max(settings_.least_step, settings_.most_step);
  const double usual = std::clamp(settings_.seconds / usual_steps, settings_.least_step, most);
  return std::max(usual, settings_.least_messages / rate);
}

void rate_search::add(const rate_step& done) {
  steps_.push_back(done);
  auto& cast = votes_[done.rate_per_second];
  ++(done.holds ? cast.held : cast.failed);
  used_seconds_ += done.seconds;
}

std::optional<double> rate_search::best() const {
  std::optional<double> found;
  for (const auto& [rate, cast] : votes_)
    if (cast.have_held()) found = rate;
  return found;
}

std::optional<double> rate_search::lowest_failing() const {
  const auto above = best().value_or(0);
  for (const auto& [rate, cast] : votes_)
    if (rate > above && cast.have_failed()) return rate;
  return std::nullopt;
}

// The highest rate below every failing one that held at least once.
std::optional<double> rate_search::highest_promising() const {
  const auto high = lowest_failing();
  std::optional<double> found;
  for (const auto& [rate, cast] : votes_)
    if ((!high || rate < *high) && cast.held > 0 && !cast.have_failed()) found = rate;
  return found;
}

std::optional<double> rate_search::next() const {
  const auto rate = next_of_votes();
  if (!rate || used_seconds_ + step_seconds(*rate) > settings_.seconds * 1.001) return std::nullopt;
  return rate;
}

std::optional<double> rate_search::next_of_votes() const {
  if (votes_.empty()) return three_digits_of(settings_.first_rate);
  for (const auto& [rate, cast] : votes_)
    if (cast.failed > 0 && cast.undecided()) return rate;
  const auto low = highest_promising();
  const auto high = lowest_failing();
  if (!low) return *high > 1 ? std::optional{three_digits_of(*high / 2)} : std::nullopt;
  if (high) return next_to_narrow(*low, *high);
  if (*low < settings_.highest_rate)
    return std::min(three_digits_of(*low * 2), settings_.highest_rate);
  return votes_.at(*low).undecided() ? low : std::nullopt;
}

// Makes sure of the lower end first: otherwise all that comes may rest on one lucky step.
std::optional<double> rate_search::next_to_narrow(double low, double high) const {
  if (votes_.at(low).undecided()) return low;
  const double middle = three_digits_of(std::sqrt(low * high));
  if (is_precise() || middle <= low || middle >= high) return std::nullopt;
  return middle;
}

bool rate_search::is_precise() const {
  const auto low = best();
  const auto high = lowest_failing();
  return low && high && *high <= *low * (1 + settings_.precision);
}

rate_limiter rate_search::limited_by() const {
  const auto high = lowest_failing();
  if (!high) return rate_limiter::none_met;
  int by_client = 0;
  int by_server = 0;
  int failed = 0;
  for (const auto& each : steps_) {
    if (each.rate_per_second != *high || each.holds) continue;
    ++failed;
    by_client += each.client_is_the_limit ? 1 : 0;
    by_server += each.saturated ? 1 : 0;
  }
  if (2 * by_client >= failed) return rate_limiter::client;
  return 2 * by_server >= failed ? rate_limiter::server : rate_limiter::latency;
}

}  // namespace bench
