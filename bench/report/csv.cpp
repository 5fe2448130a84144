// report.csv: one number per line, with everything that says what it is; ready for a pivot table.
#include <fmt/format.h>

#include <bench/report/forms.hpp>
#include <bench/report/rates/curve_tables.hpp>
#include <bench/report/trust.hpp>
#include <string>
#include <string_view>

namespace bench {
namespace {

// A spreadsheet runs a cell that begins with one of these characters as a formula. The apostrophe
// says that the cell is text.
bool looks_like_a_formula(std::string_view text) {
  return !text.empty() && std::string_view{"=+-@\t\r"}.find(text[0]) != std::string_view::npos;
}

// For names and words; numbers are written as they are.
std::string csv_cell(std::string_view text) {
  std::string result = looks_like_a_formula(text) ? "'" : "";
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return result.append(text);
  result.insert(0, 1, '"');
  for (const char each : text) result += each == '"' ? std::string{"\"\""} : std::string{each};
  return result + '"';
}

// The columns that say what a row's numbers are about.
struct row_subject {
  std::string scenario;
  std::string base;
  std::string contender;
};

class csv_lines {
 public:
  void add(const row_subject& about, std::string_view server, std::string_view metric,
           std::string_view unit, const estimate& shown, std::string_view words = {}) {
    if (shown.n == 0 && words.empty()) return;
    if (shown.n == 0) return add_line(about, server, metric, unit, ",,", "", words);
    const auto range = shown.range
                           ? fmt::format("{:.6g},{:.6g}", shown.range->low, shown.range->high)
                           : std::string{","};
    add_line(about, server, metric, unit, fmt::format("{:.6g},{}", shown.value, range),
             std::to_string(shown.n), words);
  }
  void add(const row_subject& about, std::string_view server, std::string_view metric,
           std::string_view unit, const std::optional<estimate>& shown) {
    if (shown) add(about, server, metric, unit, *shown);
  }
  void add(const row_subject& about, std::string_view server, std::string_view metric,
           std::string_view unit, double value, std::string_view words = {}) {
    add_line(about, server, metric, unit, fmt::format("{:.6g},,", value), "", words);
  }
  void add_text(std::string_view metric, std::string_view words) {
    add_line({}, "", metric, "", ",,", "", words);
  }
  const std::string& text() const { return text_; }

 private:
  void add_line(const row_subject& about, std::string_view server, std::string_view metric,
                std::string_view unit, std::string_view numbers, std::string_view blocks,
                std::string_view words) {
    text_ += fmt::format("{},{},{},{},{},{},{},{},{}\n", csv_cell(about.scenario),
                         csv_cell(about.base), csv_cell(about.contender), csv_cell(server), metric,
                         unit, numbers, blocks, csv_cell(words));
  }

  std::string text_ = "scenario,base,contender,server,metric,unit,estimate,low,high,blocks,words\n";
};

void add_costs(csv_lines& out, const cost_row& row) {
  const row_subject about{row.scenario.text(), row.comparison.base, row.comparison.contender};
  for (const auto* side : {&row.base, &row.contender}) {
    const bool is_missing = side->cpu_ns.n == 0 && row.verdict.what == finding::unmeasured;
    out.add(about, side->server, "cpu_per_message", "ns", side->cpu_ns,
            is_missing ? row.verdict.words : "");
    out.add(about, side->server, "library_overhead", "ns", side->overhead_ns);
  }
  out.add(about, row.comparison.floor.value_or(""), "cpu_per_message", "ns", row.floor_ns);
  out.add(about, "", "cpu_ratio", "1", row.ratio, row.verdict.words);
  out.add(about, "", "cpu_ratio_student", "1", row.ratio_t);
  out.add(about, "", "cpu_ratio_exclusive", "1", row.exclusive_ratio);
  out.add(about, "", "cpu_difference", "ns", row.difference_ns);
  out.add(about, "", "overhead_ratio", "1", row.overhead_ratio);
}

// Percentiles over all blocks merged, without an interval: they say nothing about the variation
// between blocks.
void add_together(csv_lines& out, const row_subject& about, std::string_view server,
                  std::string_view what, std::string_view loop,
                  const std::optional<distribution>& all) {
  if (!all) return;
  const auto add = [&](std::string_view of, double value) {
    out.add(about, server, fmt::format("{}_{}_{}", what, of, loop), "us", value,
            "all blocks together");
  };
  add("p999", all->p999_us);
  add("max", all->max_us);
}

void add_judged(csv_lines& out, const row_subject& about, std::string_view metric,
                const std::optional<judged_ratio>& judged) {
  if (judged) out.add(about, "", metric, "1", judged->ratio, judged->verdict.words);
}

void add_loads(csv_lines& out, const load_row& row) {
  const row_subject about{row.scenario.text(), row.comparison.base, row.comparison.contender};
  for (const auto* side : {&row.base, &row.contender}) {
    out.add(about, side->server, "throughput", row.scenario.churn ? "connections/s" : "messages/s",
            side->messages_per_second, side->client_limited ? "client-limited" : "");
    out.add(about, side->server, "client_utilisation", "1", side->client_utilisation);
    out.add(about, side->server, "latency_p50_closed_loop", "us", side->p50_us);
    out.add(about, side->server, "latency_p90_closed_loop", "us", side->p90_us);
    out.add(about, side->server, "latency_p99_closed_loop", "us", side->p99_us);
    add_together(out, about, side->server, "latency", "closed_loop", side->latency);
  }
  out.add(about, "", "throughput_ratio", "1", row.throughput_ratio,
          row.throughput_verdict ? row.throughput_verdict->words : "");
  add_judged(out, about, "latency_p50_ratio_closed_loop", row.p50);
  add_judged(out, about, "latency_p99_ratio_closed_loop", row.p99);
}

void add_open_loops(csv_lines& out, const open_row& row) {
  const row_subject about{row.scenario.text(), row.comparison.base, row.comparison.contender};
  for (const auto* side : {&row.base, &row.contender}) {
    out.add(about, side->server, "open_loop_rate", "messages/s", row.rate_per_second);
    out.add(about, side->server, "open_loop_answered", "1", side->answered,
            side->saturated ? "saturated" : "");
    out.add(about, side->server, "response_p50_open_loop", "us", side->response_p50_us);
    out.add(about, side->server, "response_p90_open_loop", "us", side->response_p90_us);
    out.add(about, side->server, "response_p99_open_loop", "us", side->response_p99_us);
    out.add(about, side->server, "service_p50_open_loop", "us", side->service_p50_us);
    out.add(about, side->server, "service_p90_open_loop", "us", side->service_p90_us);
    out.add(about, side->server, "service_p99_open_loop", "us", side->service_p99_us);
    add_together(out, about, side->server, "response", "open_loop", side->response);
    add_together(out, about, side->server, "service", "open_loop", side->service);
    out.add(about, side->server, "client_late_p99_open_loop", "us", side->late_p99_us);
    out.add(about, side->server, "cpu_per_message_open_loop", "ns", side->cpu_ns);
  }
  add_judged(out, about, "response_p50_ratio_open_loop", row.p50);
  add_judged(out, about, "response_p99_ratio_open_loop", row.p99);
}

void add_curve(csv_lines& out, const rate_curve& curve) {
  for (const auto& point : curve.points)
    out.add({point.scenario.text(), curve.comparison.base, curve.comparison.contender}, "",
            "cpu_ratio_at_rate", "1", point.cpu.ratio, point.cpu.verdict.words);
}

void add_overall(csv_lines& out, const overall_row& row) {
  const row_subject about{"", row.comparison.base, row.comparison.contender};
  if (row.cpu) out.add(about, "", "cpu_ratio_overall", "1", row.cpu->ratio, row.cpu->verdict.words);
  if (row.throughput)
    out.add(about, "", "throughput_ratio_overall", "1", row.throughput->ratio,
            row.throughput->verdict.words);
}

void add_memory(csv_lines& out, const memory_row& row) {
  for (const auto& sample : row.samples)
    out.add({fmt::format("c{}", sample.connections), "", ""}, row.server, "pss", "KiB",
            sample.pss_kib);
  if (row.kib_per_connection)
    out.add({}, row.server, "memory_per_connection", "KiB", *row.kib_per_connection);
  else
    out.add({}, row.server, "memory_per_connection", "KiB", estimate{}, memory_text(row));
}

void add_kernel(csv_lines& out, const kernel_row& row) {
  const row_subject about{row.scenario.text(), "", ""};
  if (row.system_calls)
    out.add(about, row.server, "system_calls_per_message", "1", *row.system_calls);
  out.add(about, row.server, "context_switches_per_message", "1", row.context_switches);
}

// The host stands in the last column, so that runs of one machine have no column more.
void add_host(csv_lines& out, const host_row& row) {
  const row_subject about{row.scenario.text(), "", ""};
  const auto add = [&](std::string_view metric, std::string_view unit,
                       std::optional<double> value) {
    if (value) out.add(about, "", metric, unit, *value, row.host);
  };
  add("host_generators", "1", row.generators);
  add("host_messages", "1", static_cast<double>(row.messages));
  add("host_latency_p50", "us", row.p50_us);
  add("host_latency_p99", "us", row.p99_us);
  add("host_late_p99", "us", row.late_p99_us);
  add("host_client_utilisation", "1", row.client_utilisation);
  add("host_start_skew", "us", row.start_skew_us);
  add("host_retransmits", "1", static_cast<double>(row.retransmits));
}

}  // namespace

std::string csv_report(const run_header& header, const results& found) {
  csv_lines out;
  for (const auto& row : found.costs) add_costs(out, row);
  for (const auto& row : found.loads) add_loads(out, row);
  for (const auto& row : found.overall.value_or(std::vector<overall_row>{})) add_overall(out, row);
  for (const auto& row : found.open_loops) add_open_loops(out, row);
  for (const auto& curve : curves_of(found)) add_curve(out, curve);
  for (const auto& row : found.hosts.value_or(std::vector<host_row>{})) add_host(out, row);
  for (const auto& row : found.memory) add_memory(out, row);
  for (const auto& row : found.kernel) add_kernel(out, row);
  for (const auto& sentence : found.headlines) out.add_text("headline", sentence);
  for (const auto& each : trust_facts(header, found))
    out.add_text("trust", each.label + ": " + each.text);
  for (const auto& each : found.caveats) out.add_text("caveat", text_of(each));
  return out.text();
}

}  // namespace bench
