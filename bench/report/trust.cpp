#include <bench/report/trust.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bench/contract/printable.hpp>
#include <bench/record/caveats.hpp>
#include <bench/report/by_host/host_table.hpp>
#include <bench/server/catalogue.hpp>
#include <bench/text/numbers.hpp>
#include <map>

namespace bench {
namespace {

std::string spread_text(const noise& of) {
  return fmt::format("grade {}: a server against itself spread {} over {} blocks; noise floor {}",
                     of.grade, percent_text(of.spread), of.blocks, percent_text(of.floor));
}

std::string noise_text(const results& found) {
  if (!found.noise) return "unknown: the run has no A/A control of at least two blocks";
  return spread_text(*found.noise) +
         (found.noise_alone ? "; loaded alone " + spread_text(*found.noise_alone) : "");
}

std::string margin_text(const results& found) {
  return fmt::format("{}: differences below it are not called differences{}{}",
                     percent_text(found.margin),
                     found.margin > 0.01 ? " (half the noise floor)" : "",
                     found.noise_alone ? fmt::format("; {} in rows that exclusive blocks decide",
                                                     percent_text(found.margin_alone))
                                       : "");
}

int judged_latencies(const results& found) {
  int count = 0;
  const auto add = [&](const auto& rows) {
    for (const auto& row : rows)
      for (const auto* each : {&row.p50, &row.p99}) count += *each && (*each)->p_in_run ? 1 : 0;
  };
  add(found.loads);
  add(found.open_loops);
  return count;
}

// How many rows are judged together, and what the blocks' correlation makes of their intervals.
std::string family_text(const results& found) {
  auto of_cpu = std::count_if(found.costs.begin(), found.costs.end(),
                              [](const cost_row& row) { return row.p_in_run.has_value(); });
  for (const auto& curve : found.rate_curves.value_or(std::vector<rate_curve>{}))
    for (const auto& point : curve.points) of_cpu += point.cpu.p_in_run ? 1 : 0;
  const auto of_throughput =
      std::count_if(found.loads.begin(), found.loads.end(),
                    [](const load_row& row) { return row.throughput_p.has_value(); });
  std::string text = "none is judged";
  if (const auto of_latency = judged_latencies(found); of_cpu + of_throughput + of_latency > 0)
    text = fmt::format(
        "{} of CPU, {} of throughput and {} of latency, judged together: in 19 of 20 runs none is "
        "wrongly called different",
        of_cpu, of_throughput, of_latency);
  if (const double widening = widening_of(found.autocorrelation.value_or(0)); widening >= 1.005)
    text += fmt::format("; blocks resemble the ones before, so intervals are {:.2f} times as wide",
                        widening);
  return text;
}

std::string pinning_text(const run_header& header) {
  const auto& machine = header.machine;
  std::string text = "servers and client were free to move between cores";
  if (machine.server_cpu && machine.client_cpu)
    text =
        fmt::format("servers on cpu{}, client on cpu{}", *machine.server_cpu, *machine.client_cpu);
  for (const auto& each : header.servers)
    if (each.target) text += fmt::format("; {}: n/a, not started here", each.name);
  return text;
}

// As in: ; prefix "GOT:" of fibers/epoll, floor/epoll; prefix none of mine
std::string prefixes_text(const run_header& header) {
  std::map<std::string, std::vector<std::string>> servers_of;
  for (const auto& each : header.servers)
    if (each.prefix) servers_of[prefix_text(*each.prefix)].push_back(each.name);
  std::string text;
  for (const auto& [prefix, servers] : servers_of)
    text +=
        fmt::format("; prefix {} of {}", prefix,
                    servers_of.size() == 1 ? "all" : fmt::format("{}", fmt::join(servers, ", ")));
  return text;
}

std::string payload_text(const results& found) {
  if (const auto* wrong = first_of<caveats::run_void>(found.caveats)) return text_of(*wrong);
  if (!found.checked) return "not recorded how many replies were compared while timed";
  return fmt::format("{} of {} timed replies compared byte by byte, none wrong",
                     count_text(static_cast<double>(*found.checked)),
                     count_text(static_cast<double>(found.messages)));
}

std::string resolution_text(const results& found) {
  const auto* row = leading_row(found);
  if (!row) return "n/a: of no comparison is the CPU of both known";
  if (!row->smallest_visible) return "none: too few blocks for a 95 % interval";
  return fmt::format("about {} of CPU per message on {}, from {} blocks",
                     percent_text(*row->smallest_visible), row->scenario.text(), row->ratio.n);
}

// What an injected delay makes of this row; nullopt: the row does not compare a server with itself
// plus a delay, so the true difference is unknown.
std::optional<finding> expected_by_injection(const cost_row& row) {
  const auto& [base, contender, floor] = row.comparison;
  const bool slower_base = injected_ns(base).has_value();
  const bool slower_contender = injected_ns(contender).has_value();
  if (slower_base == slower_contender || without_injection(base) != without_injection(contender))
    return std::nullopt;
  return slower_contender ? finding::higher : finding::lower;
}

std::string injection_text(const cost_row& row, finding expected) {
  const auto& [base, contender, floor] = row.comparison;
  const auto what = row.verdict.what;
  const bool is_opposite = what != expected && (what == finding::lower || what == finding::higher);
  // A server burns it at each receive, which is one message unless several are outstanding.
  return fmt::format("{} ns per {} burnt in {} on {}: {}, {}",
                     ns_text(injected_ns(contender).value_or(injected_ns(base).value_or(0))),
                     row.scenario.depth > 1 ? "receive" : "message", without_injection(base),
                     row.scenario.text(),
                     what == expected ? "found"
                     : is_opposite    ? fmt::format("not found but called {}", word_of(what))
                                      : "not found",
                     interval_text(row.difference_ns, ns_text, "ns"));
}

}  // namespace

std::vector<fact> trust_facts(const run_header& header, const results& found) {
  std::vector<fact> facts{{"Noise", noise_text(found)},
                          {"Margin", margin_text(found)},
                          {"Rows", family_text(found)},
                          {"Smallest difference visible", resolution_text(found)}};
  for (const auto& row : found.costs) {
    const auto expected = expected_by_injection(row);
    if (expected && row.verdict.what != finding::unmeasured)
      facts.push_back({"Injected cost", injection_text(row, *expected)});
  }
  if (header.watched.value_or(false))
    facts.push_back({"Intervals", "may be watched: this run could end because of what it showed"});
  if (const auto hosts = hosts_text(header); !hosts.empty()) facts.push_back({"Hosts", hosts});
  facts.push_back({"Pinning", pinning_text(header)});
  facts.push_back({"Payload", payload_text(found) + prefixes_text(header)});
  return facts;
}

std::string memory_text(const memory_row& row) {
  if (row.kib_per_connection) return kib_text(*row.kib_per_connection);
  return row.samples.empty() ? "n/a: not started here" : "n/a";
}

std::vector<fact> environment_facts(const run_header& header) {
  const auto& machine = header.machine;
  std::vector<fact> facts{
      {"Command", printable(header.command_line)},
      {"Started", header.started_utc},
      {"Suite",
       fmt::format("{}, {}{} rounds, seed {}", header.suite,
                   header.watched.value_or(false) ? "at most " : "", header.rounds, header.seed)},
      {"Processor", fmt::format("{} x {}", machine.cpus, machine.cpu_model)},
      {"Virtualization", machine.virtualization},
      {"Kernel", machine.kernel},
      {"Governor", machine.governor},
      {"Mitigations", machine.mitigations},
      {"Compiler", machine.compiler},
      {"Build", machine.build_type + ", " + machine.flags},
      {"Boost", machine.boost_version},
      {"Commit", machine.commit.value_or("")},
      {"Clock rate", machine.clock_rate.value_or("")},
      {"Caches", machine.caches.value_or("")},
      {"Kernel's timer", machine.tick_hz ? fmt::format("{} Hz", *machine.tick_hz) : ""},
      {"Time of interrupts", machine.irq_time
                                 ? fmt::format("the kernel was built to count it {} processes",
                                               *machine.irq_time ? "apart from" : "as that of")
                                 : ""}};
  for (auto& each : facts)
    if (each.text.empty()) each.text = "not recorded";
  for (const auto& each : descriptions_of_hosts(header)) facts.push_back({"Load from", each});
  if (header.servers_on) facts.push_back({"Servers on", *header.servers_on});
  if (header.label) facts.insert(facts.begin(), {"Label", *header.label});
  return facts;
}

std::string_view word_of(finding what) {
  switch (what) {
    case finding::equivalent:
      return "equivalent";
    case finding::lower:
      return "lower";
    case finding::higher:
      return "higher";
    case finding::tiny:
      return "tiny";
    case finding::inconclusive:
      return "inconclusive";
    case finding::conflict:
      return "conflict";
    case finding::unmeasured:
      return "n/a";
  }
  return "unknown";
}

std::string pair_title(const comparison& pair) {
  return pair.contender + " against " + pair.base;
}

}  // namespace bench
