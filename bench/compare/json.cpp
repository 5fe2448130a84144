// A comparison for programs. Members may be added under the same version.
#include <bench/compare/compare.hpp>
#include <bench/text/described_json.hpp>

namespace bench {

BOOST_DESCRIBE_ENUM(quantity, cpu, throughput, p50, memory)
BOOST_DESCRIBE_ENUM(gate_result, none, passed, failed, inconclusive)
BOOST_DESCRIBE_STRUCT(interval, (), (low, high))
BOOST_DESCRIBE_STRUCT(subject, (), (what, scenario, server, anchor))
BOOST_DESCRIBE_STRUCT(judged_change, (), (change, range, p, holm_p, words))
BOOST_DESCRIBE_STRUCT(run_point, (), (ratio, block_error, stepped))
BOOST_DESCRIBE_STRUCT(change_row, (),
                      (about, points, ratio_before, ratio_after, before, after, judged))
BOOST_DESCRIBE_STRUCT(mean_row, (), (what, server, anchor, loads, judged))
BOOST_DESCRIBE_STRUCT(run_spread, (), (own, common, freedom, is_prior))
BOOST_DESCRIBE_STRUCT(quantity_spread, (), (what, spread))
BOOST_DESCRIBE_STRUCT(compare_gate, (), (limit, change, at_least, at_most, reasons))
BOOST_DESCRIBE_STRUCT(run_comparison, (),
                      (runs, rows, means, spreads, machine_differences, notes, gate, result))

std::string comparison_json(const run_comparison& change) {
  auto value = to_json(change).as_object();
  boost::json::object whole{{"report", "echobench compare"}, {"version", 1}};
  for (auto& [name, member] : value) whole[name] = std::move(member);
  return json_text(whole) + '\n';
}

}  // namespace bench
