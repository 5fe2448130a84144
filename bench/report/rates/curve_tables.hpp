// curve_tables: the tables of a rate_curve, one line per rate.
//
//     for (const auto& curve : curves_of(found)) text += markdown_table(curve_cost_table(curve));
#pragma once

#include <bench/analysis/analysis.hpp>
#include <bench/report/table.hpp>
#include <vector>

namespace bench {

// Empty: the run has none, or the report is of an older version.
std::vector<rate_curve> curves_of(const results& found);

// CPU per message of both servers at each rate, and the ratio with its verdict.
table curve_cost_table(const rate_curve& curve);

// p50 and p99 of both servers at each rate.
table curve_latency_table(const rate_curve& curve);

}  // namespace bench
