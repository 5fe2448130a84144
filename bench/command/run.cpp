// echobench run: plans, prepares, measures and reports.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <bench/analysis/analysis.hpp>
#include <bench/command/commands.hpp>
#include <bench/command/interruption.hpp>
#include <bench/command/plan_text.hpp>
#include <bench/command/progress.hpp>
#include <bench/command/shell/open_page.hpp>
#include <bench/command/shell/run_help.hpp>
#include <bench/command/sites.hpp>
#include <bench/compare/gate.hpp>
#include <bench/contract/printable.hpp>
#include <bench/hosts/launcher.hpp>
#include <bench/hosts/servers/place.hpp>
#include <bench/measure/live_test_bed.hpp>
#include <bench/measure/preparation.hpp>
#include <bench/measure/recorder.hpp>
#include <bench/measure/resume.hpp>
#include <bench/measure/schedule.hpp>
#include <bench/record/run_folder.hpp>
#include <bench/report/report.hpp>
#include <bench/server/catalogue.hpp>
#include <bench/text/command_words.hpp>
#include <bench/text/failure.hpp>
#include <bench/text/numbers.hpp>
#include <bench/text/terminal.hpp>
#include <bench/text/wrapped.hpp>
#include <random>

namespace bench {
namespace {

namespace fs = std::filesystem;

struct run_options {
  run_request request;
  fs::path output;
  std::string resume;  // a run folder, whose options replace all others
  std::string pin;
  std::optional<double> gate;  // as a fraction
  std::optional<std::string> label;
  bool list = false;
  bool open = false;
  bool verbose = false;
  bool allow_debug = false;
  host_options hosts;
  std::string on;      // HOST[=ADDRESS], where the servers run; empty: here
  wanted_sites sites;  // without the place, which the plan decides
};

// Each of these options is one word, as --resume=DIR, or two.
void expect_nothing_beside_resume(const arguments& given) {
  std::size_t words = 0;
  for (const auto& each : given)
    for (const std::string option : {"--resume", "--without"})
      words += each == option ? 2 : each.starts_with(option + "=") ? 1 : 0;
  if (given.size() > words)
    throw usage_error(
        "--resume DIR takes no other option but --without: they are those the run was begun with");
}

// Other hosts can only count the replies of a whole load, from quiet to quiet; so where the servers
// run on one of them, this thread counts so too.
void take_hosts(run_options& chosen, const std::string& left_out) {
  if (!left_out.empty())
    chosen.hosts.without += (chosen.hosts.without.empty() ? "" : ",") + left_out;
  const auto place = parse_place(chosen.on);
  if (chosen.hosts.from.empty() && (!chosen.hosts.sources.empty() || !chosen.hosts.network.empty()))
    throw usage_error("--source and --network go with --from");
  if (chosen.hosts.from.empty() && chosen.resume.empty() && !chosen.hosts.without.empty())
    throw usage_error("--without goes with --from or --resume");
  if (chosen.hosts.from.empty() && place && !is_this_host(place->host))
    chosen.hosts.from = "localhost";
  if (!chosen.hosts.from.empty()) chosen.sites.from = parse_hosts(chosen.hosts);
  chosen.request.from_hosts = chosen.sites.from.has_value();
  chosen.sites.launcher = chosen.hosts.launcher;
  chosen.sites.pin = chosen.pin;
}

void explain(options& wanted) {
  wanted.explain(run_help());
  wanted.example("run --suite quick");
  wanted.example("run --servers fibers/epoll,fibers/io_uring");
  wanted.example("run --suite thorough --until-sure");
  wanted.example("run --against ../before --gate 3%");
  wanted.example("run --from a,b --on server");
}

void expect_no_more(const arguments& rest) {
  if (rest.empty()) return;
  throw usage_error(fmt::format("echobench run: unexpected argument '{}'", rest[0]));
}

// `left_out`: hosts that --without names beside --resume.
run_options parse(const arguments& given, const std::string& left_out = {}) {
  run_options chosen;
  std::string scenarios;
  std::string servers;
  std::string output;
  std::optional<std::string> gate;
  std::optional<std::uint64_t> seed;
  options wanted{"echobench run", "", "Measures servers against each other and writes a report."};
  wanted.add("suite", chosen.request.suite, "SUITE", "what to measure; the list is below");
  wanted.add("scenarios", scenarios, "LOAD[,LOAD...]", "instead of the suite's");
  wanted.add("servers", servers, "SERVER,SERVER[,...]",
             "compare all others with the first; with --against each with its older self");
  wanted.add("server", chosen.request.added, "NAME=COMMAND", "add any echo server");
  wanted.add("target", chosen.request.targets, "[NAME=]HOST:PORT",
             "add one that runs already, anywhere");
  add_host_options(wanted, chosen.hosts);
  wanted.add("on", chosen.on, "HOST[=ADDRESS]", "where the servers run, and the load reaches them");
  wanted.add("against", chosen.request.against, "BUILD",
             "compare with the same servers of another build");
  wanted.add("gate", gate, "PERCENT", "the exit code says whether CPU per message rose by more");
  wanted.add("filter", chosen.request.filter, "REGEX",
             "only rows whose 'scenario server server' matches, as grep -E");
  wanted.add("until-sure", chosen.request.until_sure,
             "end as soon as the answer over all loads is sure, or the gate");
  wanted.add("rounds", chosen.request.rounds, "N", "instead of the suite's; no time limit then");
  wanted.add("seed", seed, "N", "of the order of blocks and of the payload");
  wanted.add("output", output, "DIR", "where to write; default runs/<UTC time>");
  wanted.add("label", chosen.label, "LABEL", "a name by which report and compare find the run");
  wanted.add("open", chosen.open, "open the page of the report afterwards");
  wanted.add("resume", chosen.resume, "DIR",
             "finish the run in this folder; beside it only --without");
  wanted.add("pin", chosen.pin, "SERVER_CPU,CLIENT_CPU", "where to run them, or none");
  wanted.add("allow-debug", chosen.allow_debug, "measure debug builds, and say so in the report");
  wanted.add("verbose", chosen.verbose, "print every table, not only the answers");
  wanted.add("list", chosen.list, "print what would run, and stop");
  explain(wanted);
  expect_no_more(wanted.parse(given));
  if (!chosen.resume.empty()) expect_nothing_beside_resume(given);
  chosen.request.scenarios = split(scenarios, ',');
  chosen.request.servers = split(servers, ',');
  chosen.request.seed = seed ? *seed : std::random_device{}();
  chosen.output = output;
  take_hosts(chosen, left_out);
  if (gate) chosen.gate = parse_percentage(*gate);
  if (chosen.label) expect_label(*chosen.label);
  return chosen;
}

std::string machine_line(const environment& machine, std::uint64_t seed) {
  auto pins = machine.server_cpu ? fmt::format("servers on cpu{}", *machine.server_cpu)
                                 : std::string{"not pinned"};
  if (machine.client_cpu) pins += fmt::format(", client on cpu{}", *machine.client_cpu);
  return fmt::format("machine  {} CPUs ({}), {}   seed {}\n", machine.cpus, machine.virtualization,
                     pins, seed);
}

struct run_begin {
  run_options chosen;
  arguments given;
  fs::path folder{};
  std::time_t started = std::time(nullptr);
  std::optional<run_record> record{};   // of the run that is resumed
  std::vector<std::string> left_out{};  // hosts that load it no more since it is resumed
};

run_begin begin(const arguments& given) {
  run_begin begun{.chosen = parse(given), .given = given};
  if (begun.chosen.resume.empty()) {
    begun.folder = begun.chosen.output.empty() ? run_folder(begun.started) : begun.chosen.output;
    return begun;
  }
  begun.folder = find_run(begun.chosen.resume);
  begun.record = read_resumable(begun.folder);
  begun.given = arguments_of(begun.record->header);
  const auto left_out = begun.chosen.hosts.without;
  begun.chosen = parse(begun.given, left_out);
  begun.left_out = split(left_out, ',');
  begun.chosen.request.seed = begun.record->header.seed;
  return begun;
}

// Whether these blocks decide the gate, or else who uses less CPU over all loads.
bool is_enough(run_record begun, const std::vector<block>& so_far, std::optional<double> gate) {
  begun.blocks = so_far;
  const auto found = analyse(begun);
  return gate ? judge_gate(found, *gate).result != gate_result::inconclusive : is_settled(found);
}

journal open_journal(const run_begin& begun, const run_header& header,
                     const std::vector<caveat>& caveats_found) {
  if (!begun.record) return begin_journal(begun.folder, header, caveats_found);
  expect_same_run(begun.record->header, header);
  auto file = resume_journal(begun.folder, header.started_utc);
  for (const auto& each : begun.left_out) file.append(to_json_line(caveats::host_left_out{each}));
  return file;
}

run_end run(const run_begin& begun, run_plan plan) {
  const auto& stop = catch_interruption();
  std::vector<caveat> caveats_found;
  const run_sites sites{begun.chosen.sites, caveats_found, stop};
  const auto& machine = sites.machine();
  live_test_bed bed{plan.servers,         machine.server_cpu,       plan.seed,      stop,
                    plan.smallest_load(), sites.clients(plan.seed), sites.servers()};
  leave_out_missing(plan, bed);
  caveats_found.insert(caveats_found.begin(), plan.left_out.begin(), plan.left_out.end());
  tell(stderr, "{}{}", title_of(plan), machine_line(machine, plan.seed));

  introduce(plan.servers, bed, begun.chosen.allow_debug, caveats_found);
  auto header = header_of(plan, machine, begun.started, command_line("run", begun.given));
  header.label = begun.chosen.label;
  sites.describe(header);
  auto file = open_journal(begun, header, caveats_found);
  progress shown{plan, stderr};
  run_record described;
  described.header = std::move(header);
  described.caveats_found = std::move(caveats_found);
  return record_run(plan, bed, file, shown, begun.record.value_or(run_record{}),
                    [&](const std::vector<block>& so_far) {
                      return is_enough(described, so_far, begun.chosen.gate);
                    });
}

// A build may be named by mistake, and then every ratio must be 1. It may be wanted, as a control.
void tell_of_itself(const std::vector<server_info>& servers, const std::string& against) {
  if (std::any_of(servers.begin(), servers.end(), is_of_this_build))
    tell(stderr, "note: --against {} is this build, which is compared with itself\n",
         printable(against));
}

// Prints whether the run passes the gate, and returns the exit code for that.
int show_gate(const fs::path& folder, double gate) {
  const auto judged = judge_gate(analyse(read_run(folder / "run.ndjson")), gate);
  const auto width = style_of(stdout).width;
  fmt::print("\nGate {}: {}\n", percent_text(gate), word_of(judged.result));
  for (const auto& each : judged.reasons) fmt::print("{}", wrapped("- " + each, width, 2));
  return exit_code_of(judged.result);
}

}  // namespace

int run_command(const arguments& given) {
  auto begun = begin(given);
  // Each generator has that many; of other hosts nothing is known yet.
  const auto& from = begun.chosen.sites.from;
  const int generators = from ? from->generators() : 1;
  begun.chosen.request.descriptors = raise_descriptor_limit() * generators;
  auto plan = plan_run(begun.chosen.request);
  tell_of_itself(plan.servers, begun.chosen.request.against);
  if (begun.chosen.list) {
    fmt::print("{}{}", title_of(plan), contents_of(plan));
    return 0;
  }
  begun.chosen.sites.place = place_of_servers(parse_place(begun.chosen.on), from, plan.servers);
  if (const auto& place = begun.chosen.sites.place) move_servers(plan, place->address);
  if (!begun.record) expect_room_for_a_run(begun.folder);
  const bool done = begun.record && begun.record->end == run_end::complete;
  const auto end = done ? run_end::complete : run(begun, plan);
  report_run(begun.folder, begun.chosen.verbose ? detail::whole : detail::brief);
  const int passed = begun.chosen.gate ? show_gate(begun.folder, *begun.chosen.gate) : 0;
  if (end == run_end::interrupted) return exit_interrupted;
  if (begun.chosen.open) tell(stderr, "{}\n", open_page(begun.folder / "report.html"));
  return passed;
}

}  // namespace bench
