// report.json: the header and every estimate, for programs. It contains a version number. Members
// may be added under the same version; renaming or removing a member that schema.json requires
// needs a new version.
#include <bench/analysis/fields.hpp>
#include <bench/report/forms.hpp>
#include <bench/report/json.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

namespace bench {
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
  for (const auto& row : contents.found.costs) check_blocks(row.scenario.text(), row.blocks);
  for (const auto& row : contents.found.controls) check_blocks("the control", row.blocks);
  return contents;
} catch (const malformed& error) {
  throw unreadable_run{file.string() + ": " + error.what()};
}

}  // namespace bench
