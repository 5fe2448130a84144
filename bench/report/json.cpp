// report.json: the header and every estimate, for programs. It contains a version number. Members
// may be added under the same version; renaming or removing a member that schema.json requires
// needs a new version.
#include <algorithm>
#include <bench/analysis/analysis.hpp>
#include <bench/record/fields.hpp>
#include <bench/report/forms.hpp>
#include <bench/report/json.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

namespace bench {

// --- the names of the members in report.json ---------------------------------------------------

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
                       ljung_box_p, p_in_run, verdict, blocks))
BOOST_DESCRIBE_STRUCT(distribution, (),
                      (messages, p50_us, p90_us, p99_us, p999_us, max_us, curve_us))
BOOST_DESCRIBE_STRUCT(server_load, (),
                      (server, messages_per_second, p50_us, p90_us, p99_us, client_utilisation,
                       client_limited, latency))
BOOST_DESCRIBE_STRUCT(judged_ratio, (), (ratio, p_in_run, verdict))
BOOST_DESCRIBE_STRUCT(load_row, (),
                      (scenario, comparison, base, contender, throughput_ratio, throughput_p,
                       throughput_verdict, p50, p99))
BOOST_DESCRIBE_STRUCT(overall_metric, (), (loads, ratio, verdict))
BOOST_DESCRIBE_STRUCT(overall_row, (), (comparison, cpu, throughput))
BOOST_DESCRIBE_STRUCT(server_response, (),
                      (server, answered, saturated, response_p50_us, response_p90_us,
                       response_p99_us, service_p50_us, service_p90_us, service_p99_us, late_p99_us,
                       cpu_ns, response, service))
BOOST_DESCRIBE_STRUCT(open_row, (),
                      (scenario, comparison, rate_per_second, base, contender, p50, p99))
BOOST_DESCRIBE_STRUCT(server_at_rate, (),
                      (server, messages_per_second, saturated, client_limited, cpu_ns, p50_us,
                       p99_us))
BOOST_DESCRIBE_STRUCT(rate_point, (), (scenario, base, contender, cpu))
BOOST_DESCRIBE_STRUCT(rate_curve, (), (load, comparison, points))
BOOST_DESCRIBE_STRUCT(memory_row, (), (server, samples, kib_per_connection))
BOOST_DESCRIBE_STRUCT(kernel_row, (), (scenario, server, system_calls, context_switches))
BOOST_DESCRIBE_STRUCT(control_row, (), (scenario, server, kind, blocks))
BOOST_DESCRIBE_STRUCT(calibration, (), (scenario, burnt_ns, read_ns))
BOOST_DESCRIBE_STRUCT(matrix_cell, (), (number, missing))
BOOST_DESCRIBE_STRUCT(matrix_row, (),
                      (scenario, base, server, broken, cpu_ns, cpu_ratio, verdict,
                       messages_per_second, client_limited, kib_per_connection, open_loop,
                       rate_per_second, p99_us))
BOOST_DESCRIBE_STRUCT(host_row, (),
                      (scenario, host, generators, messages, p50_us, p99_us, late_p99_us,
                       client_utilisation, start_skew_us, retransmits, parts))
BOOST_DESCRIBE_STRUCT(results, (),
                      (headlines, noise, noise_alone, margin, margin_alone, autocorrelation,
                       controls, calibration, costs, loads, overall, open_loops, rate_curves,
                       memory, kernel, matrix, hosts, messages, checked, caveats))

// --- the report --------------------------------------------------------------------------------

namespace {

constexpr std::string_view report_name = "echobench";
constexpr int report_version = 1;

void check_origin(const boost::json::value& value) {
  const auto* object = value.if_object();
  const auto* name = object ? object->if_contains("report") : nullptr;
  if (!name || !name->is_string() || std::string_view{name->as_string()} != report_name)
    throw malformed{"", "is no report of echobench"};
  const auto* version = object->if_contains("version");
  const int number = version ? from_json<int>(*version, "version") : 0;
  if (number != report_version)
    throw malformed{"version",
                    fmt::format("is {}, and this program reads {}", number, report_version)};
  for (const auto* member : {"header", "results"})
    if (!object->contains(member)) throw malformed{member, "is missing"};
}

// Later code takes logarithms of costs, so a report that was edited by hand must not produce
// infinities.
bool is_plausible(double cost) {
  return cost > 1e-9 && cost < 1e15;
}

void check_blocks(const std::string& row, const std::vector<block_cost>& blocks) {
  for (const auto& each : blocks)
    if (!is_plausible(each.base_ns) || !is_plausible(each.contender_ns) ||
        !is_plausible(each.ratio) || !is_plausible(each.floor_ns.value_or(1)))
      throw malformed{"results",
                      fmt::format("hold a block of {} that cannot have been measured", row)};
}

// What was measured beside the bare loop must say beside which.
void check_floor(const cost_row& row) {
  const bool has_floor = row.floor_ns || row.base.overhead_ns || row.contender.overhead_ns ||
                         std::any_of(row.blocks.begin(), row.blocks.end(),
                                     [](const block_cost& each) { return each.floor_ns; });
  if (has_floor && !row.comparison.floor)
    throw malformed{"results", fmt::format("hold what the bare loop cost on {}, and do not name it",
                                           row.scenario.text())};
}

boost::json::object report_of(const run_header& header, const results& found) {
  return {{"report", report_name},
          {"version", report_version},
          {"header", to_json(header)},
          {"results", to_json(found)}};
}

}  // namespace

std::string json_report(const run_header& header, const results& found) {
  return indented_json_text(report_of(header, found));
}

std::string json_report_line(const run_header& header, const results& found) {
  return json_text(report_of(header, found));
}

report_contents read_json_report(const std::filesystem::path& file) try {
  std::ifstream in{file};
  if (!in) throw unreadable_run{fmt::format("{}: {}", file.string(), std::strerror(errno))};
  std::ostringstream text;
  text << in.rdbuf();
  boost::json::error_code error;
  auto value = boost::json::parse(text.str(), error);
  if (error) throw malformed{"", "is not JSON: " + error.message()};
  make_printable(value);
  check_origin(value);
  report_contents contents{from_json<run_header>(value.at("header"), "header"),
                           from_json<results>(value.at("results"), "results")};
  for (const auto& row : contents.found.costs) {
    check_blocks(row.scenario.text(), row.blocks);
    check_floor(row);
  }
  for (const auto& row : contents.found.controls) check_blocks("the control", row.blocks);
  return contents;
} catch (const malformed& error) {
  throw unreadable_run{file.string() + ": " + error.what()};
}

}  // namespace bench
