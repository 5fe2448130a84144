// fields: maps the members of the results to the names that they have in report.json.
//
// Only files that write or read report.json include it.
#pragma once

#include <bench/analysis/analysis.hpp>
#include <bench/record/fields.hpp>

namespace bench {

BOOST_DESCRIBE_ENUM(finding, equivalent, lower, higher, tiny, inconclusive, conflict, unmeasured)

// Two words were others in older reports.
template <>
struct json_form<finding> {
  static boost::json::value write(finding what) {
    return boost::json::string(boost::describe::enum_to_string(what, "unknown"));
  }
  static finding read(const boost::json::value& value, const std::string& where) {
    const std::string_view word = value.is_string() ? std::string_view{value.as_string()} : "";
    if (word == "cheaper") return finding::lower;
    if (word == "dearer") return finding::higher;
    finding what{};
    if (!boost::describe::enum_from_string(std::string{word}.c_str(), what))
      throw malformed{where, "is not a word known here"};
    return what;
  }
};

BOOST_DESCRIBE_STRUCT(interval, (), (low, high))
BOOST_DESCRIBE_STRUCT(estimate, (), (value, range, n))
BOOST_DESCRIBE_STRUCT(verdict, (), (what, words, more_blocks))
BOOST_DESCRIBE_STRUCT(noise, (), (blocks, spread, floor, grade))
BOOST_DESCRIBE_STRUCT(block_cost, (), (round, base_ns, contender_ns, floor_ns, ratio))
BOOST_DESCRIBE_STRUCT(server_cost, (), (server, cpu_ns, overhead_ns))
BOOST_DESCRIBE_STRUCT(cost_row, (),
                      (scenario, comparison, decided_by, base, contender, floor_ns, ratio, ratio_t,
                       exclusive_ratio, difference_ns, overhead_ratio, smallest_visible,
                       ljung_box_p, verdict, blocks))
BOOST_DESCRIBE_STRUCT(distribution, (),
                      (messages, p50_us, p90_us, p99_us, p999_us, max_us, curve_us))
BOOST_DESCRIBE_STRUCT(server_load, (),
                      (server, messages_per_second, p50_us, p90_us, p99_us, client_utilisation,
                       client_limited, latency))
BOOST_DESCRIBE_STRUCT(load_row, (), (scenario, comparison, base, contender, throughput_ratio))
BOOST_DESCRIBE_STRUCT(server_response, (),
                      (server, answered, saturated, response_p50_us, response_p90_us,
                       response_p99_us, service_p50_us, service_p90_us, service_p99_us, late_p99_us,
                       cpu_ns, response, service))
BOOST_DESCRIBE_STRUCT(open_row, (), (scenario, comparison, rate_per_second, base, contender))
BOOST_DESCRIBE_STRUCT(memory_row, (), (server, samples, kib_per_connection))
BOOST_DESCRIBE_STRUCT(kernel_row, (), (scenario, server, system_calls, context_switches))
BOOST_DESCRIBE_STRUCT(control_row, (), (scenario, server, kind, blocks))
BOOST_DESCRIBE_STRUCT(results, (),
                      (headlines, noise, noise_alone, margin, margin_alone, controls, costs, loads,
                       open_loops, memory, kernel, messages, checked, caveats))

}  // namespace bench
