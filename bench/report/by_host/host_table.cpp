#include <bench/report/by_host/host_table.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <bench/text/numbers.hpp>
#include <cstdint>

namespace bench {
namespace {

std::string time_text(const std::optional<double>& us, const char* absent) {
  return us ? microseconds_text(*us) : absent;
}

std::string generators_text(std::int64_t generators) {
  return fmt::format("{} {}", generators, generators == 1 ? "generator" : "generators");
}

}  // namespace

table host_table(const results& found) {
  table shown{
      .title = "Load by host",
      .note =
          "p50, p99, late (how late an open loop sent) and the CPU of the busiest "
          "generator: of the median slice of servers loaded alone. Start skew: the largest. "
          "Resent: TCP segments, the sum. Times in µs.",
      .columns = {scenario_column,
                  host_column,
                  {"generators"},
                  {"messages", "messages"},
                  {"p50", "p50"},
                  {"p99", "p99"},
                  {"late p99", "late"},
                  {"CPU", "CPU"},
                  {"start skew", "skew"},
                  {"resent", "resent"}}};
  for (const auto& row : found.hosts.value_or(std::vector<host_row>{}))
    shown.rows.push_back(
        {row.scenario.text(), row.host, std::to_string(row.generators),
         count_text(static_cast<double>(row.messages)), time_text(row.p50_us, "n/a"),
         time_text(row.p99_us, "n/a"), time_text(row.late_p99_us, "-"),
         fmt::format("{:.0f} %", 100 * row.client_utilisation),
         microseconds_text(row.start_skew_us), count_text(static_cast<double>(row.retransmits))});
  return shown;
}

std::string hosts_text(const run_header& header) {
  std::string text;
  if (header.hosts) {
    std::int64_t generators = 0;
    std::vector<std::string> each;
    for (const auto& host : *header.hosts) {
      generators += host.generators;
      each.push_back(fmt::format("{} {}", host.name, host.generators));
    }
    text = fmt::format("load from {} {}, {} ({})", each.size(), each.size() == 1 ? "host" : "hosts",
                       generators_text(generators), fmt::join(each, ", "));
  }
  if (header.servers_on)
    text += fmt::format("{}servers on {}", text.empty() ? "" : "; ", *header.servers_on);
  return text;
}

std::vector<std::string> descriptions_of_hosts(const run_header& header) {
  std::vector<std::string> texts;
  for (const auto& [name, generators, kernel, cpu_model, cpus] :
       header.hosts.value_or(std::vector<load_host>{}))
    texts.push_back(fmt::format("{}: {}, {} x {}, kernel {}", name, generators_text(generators),
                                cpus, cpu_model, kernel));
  return texts;
}

}  // namespace bench
