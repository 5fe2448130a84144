// looks: the intervals of a run that was looked at once, and of one that was watched.
//
//     interval_over(log_ratios, looks::once)        // the run ended when it was planned to end
//     interval_over(log_ratios, looks::throughout)  // it could end because of what it showed
//
// An interval for one look promises nothing to somebody who looks after every block and stops when
// it shows what he wants. The intervals of confidence_sequence() do, and are wider for that.
#pragma once

#include <bench/statistics/statistics.hpp>
#include <span>

namespace bench {

enum class looks { once, throughout };

// Once: signed_rank_interval() and signed_rank_p(). Throughout: confidence_sequence() and
// sequence_p().
estimate interval_over(std::span<const double> values, looks at);
double p_over(std::span<const double> values, looks at, double widening = 1);

// So many values are the fewest for a 95 % interval.
int fewest_for_interval(looks at);

}  // namespace bench
