#include <bench/statistics/looks.hpp>

#include <bench/statistics/confidence_sequence.hpp>

namespace bench {

estimate interval_over(std::span<const double> values, looks at) {
  return at == looks::once ? signed_rank_interval(values) : confidence_sequence(values);
}

double p_over(std::span<const double> values, looks at, double widening) {
  return at == looks::once ? signed_rank_p(values, widening) : sequence_p(values, widening);
}

int fewest_for_interval(looks at) {
  constexpr int for_signed_ranks = 6;
  return at == looks::once ? for_signed_ranks : static_cast<int>(fewest_for_sequence());
}

}  // namespace bench
