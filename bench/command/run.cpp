// echobench run: plans, prepares, measures and reports.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <bench/analysis/analysis.hpp>
#include <bench/command/commands.hpp>
#include <bench/command/interruption.hpp>
#include <bench/command/plan_text.hpp>
#include <bench/command/progress.hpp>
#include <bench/compare/gate.hpp>
#include <bench/machine/kernel_counts.hpp>
#include <bench/measure/live_test_bed.hpp>
#include <bench/measure/preparation.hpp>
#include <bench/measure/recorder.hpp>
#include <bench/measure/resume.hpp>
#include <bench/measure/schedule.hpp>
#include <bench/record/run_folder.hpp>
#include <bench/report/report.hpp>
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
  bool list = false;
  bool verbose = false;
  bool allow_debug = false;
};

constexpr const char* explanation =
    "Servers: fibers/, asio-callback/, asio-coroutine/, asio-spawn/ and floor/, each with select,\n"
    "epoll or io_uring, as in asio-spawn/epoll; fibers/poll; and whatever --server adds. At the "
    "end\n"
    "may stand, in this order, /t2 (two threads; asio: also /t2/shared: they share one loop),\n"
    "for fibers /spin50us (looks that long for events before it sleeps), /inject1000ns (burns so\n"
    "much on each message) and /unix (a path instead of a port). What this machine or build does\n"
    "not have is left out, and the report says so. --servers a,b,c compares b with a and c with\n"
    "a instead of what the suite compares; a,a compares a server with itself. --server\n"
    "'mine=./my_echo --port {port}' compares mine with asio-callback/epoll and with fibers/epoll:\n"
    "{port} becomes a free port, and mine is ready when it accepts connections there. Before\n"
    "anything is timed every byte of its replies is compared; a prefix is found by itself, and "
    "the\n"
    "report says which. --target api=10.0.0.1:25000 does the same with a server that runs "
    "already:\n"
    "it is loaded alone, and has throughput and latency, but no CPU and no memory. The bare\n"
    "loop (floor) of the same reactor rides along wherever both servers share one.\n\n"
    "Did a change make it slower? --against ../before compares the fibers of this build, or each "
    "of\n"
    "the bundled servers that --servers names, with the same server of another build, in the same\n"
    "blocks: of a checkout that was built, its build folder or the folder of its programs. With\n"
    "--gate 3% the exit code is 1 where a server uses over 3 % more CPU per message than its base\n"
    "over all loads, 0 where none does, and 4 where the run cannot tell.\n\n"
    "Scenarios: c64/512 is 64 connections and messages of 512 bytes; at the end may stand\n"
    "+10000idle (so many silent connections more), /d16 (messages outstanding), and /r50% or\n"
    "/r20k (open loop, at half of what the slower server can do or 20,000 a second) or /churn\n"
    "(a connection for each message).\n\n"
    "A run that was interrupted or killed goes on with --resume DIR, from the same folder and on\n"
    "the same machine and build.\n\n"
    "Exit code: 0 measured, 1 and 4 as said under --gate, 2 usage, 3 the run is invalid or nobody\n"
    "could be told, 130 it was interrupted (what was measured is kept and reported).";

std::string suites_text() {
  std::string text = "Suites, each with what it takes here:\n";
  for (const auto& each : suite_summaries())
    text += fmt::format("  {:<12} {:>5}  {}\n", each.name, clock_text(each.expected), each.purpose);
  return text + '\n';
}

run_options parse(const arguments& given) {
  run_options chosen;
  std::string scenarios;
  std::string servers;
  std::string output;
  std::optional<std::string> gate;
  std::optional<std::uint64_t> seed;
  options wanted{"echobench run", "", "Measures servers against each other and writes a report."};
  wanted.add("suite", chosen.request.suite, "NAME", "what to measure; the list is below");
  wanted.add("scenarios", scenarios, "A[,B...]", "instead of the suite's, as in c64/512/r20k");
  wanted.add("servers", servers, "A,B[,C...]",
             "compare B, C, ... with A; with --against each with its older self");
  wanted.add("server", chosen.request.added, "NAME=COMMAND",
             "add any echo server; may be repeated");
  wanted.add("target", chosen.request.targets, "[NAME=]HOST:PORT",
             "add one that runs already, anywhere; may be repeated");
  wanted.add("against", chosen.request.against, "BUILD",
             "compare with the same servers of another build");
  wanted.add("gate", gate, "PERCENT", "the exit code says whether CPU per message rose by more");
  wanted.add("filter", chosen.request.filter, "REGEX",
             "only rows whose 'scenario server server' matches, as grep -E");
  wanted.add("rounds", chosen.request.rounds, "N", "instead of the suite's; no time limit then");
  wanted.add("seed", seed, "N", "of the order of blocks and of the payload");
  wanted.add("output", output, "DIR", "where to write; default runs/<UTC time>");
  wanted.add("resume", chosen.resume, "DIR", "finish the run in this folder; no other option");
  wanted.add("pin", chosen.pin, "SERVER_CPU,CLIENT_CPU", "or none");
  wanted.add("allow-debug", chosen.allow_debug, "measure debug builds, and say so in the report");
  wanted.add("verbose", chosen.verbose, "print every table, not only the answers");
  wanted.add("list", chosen.list, "print what would run, and stop");
  wanted.explain(suites_text() + explanation);
  const auto rest = wanted.parse(given);
  if (!rest.empty()) {
    throw usage_error(fmt::format("echobench run: unexpected argument '{}'", rest[0]));
  }
  const bool in_one_word = std::any_of(given.begin(), given.end(), [](const std::string& each) {
    return each.starts_with("--resume=");
  });
  if (!chosen.resume.empty() && given.size() > (in_one_word ? 1U : 2U)) {
    throw usage_error("--resume DIR takes no other option: they are those the run was begun with");
  }
  chosen.request.scenarios = split(scenarios, ',');
  chosen.request.servers = split(servers, ',');
  chosen.request.seed = seed ? *seed : std::random_device{}();
  chosen.output = output;
  if (gate) chosen.gate = parse_percentage(*gate);
  return chosen;
}

std::string machine_line(const environment& machine, std::uint64_t seed) {
  const auto pins = machine.server_cpu ? fmt::format("servers on cpu{}, client on cpu{}",
                                                     *machine.server_cpu, *machine.client_cpu)
                                       : std::string{"not pinned"};
  return fmt::format("machine  {} CPUs ({}), {}   seed {}\n", machine.cpus, machine.virtualization,
                     pins, seed);
}

struct run_begin {
  run_options chosen;
  arguments given;
  fs::path folder{};
  std::time_t started = std::time(nullptr);
  std::optional<run_record> record{};  // of the run that is resumed
};

run_begin begin(const arguments& given) {
  run_begin begun{.chosen = parse(given), .given = given};
  if (begun.chosen.resume.empty()) {
    begun.folder = begun.chosen.output.empty() ? run_folder(begun.started) : begun.chosen.output;
    return begun;
  }
  begun.folder = begun.chosen.resume;
  begun.record = read_resumable(begun.folder);
  begun.given = arguments_of(begun.record->header);
  begun.chosen = parse(begun.given);
  begun.chosen.request.seed = begun.record->header.seed;
  return begun;
}

run_end run(const run_begin& begun, run_plan plan) {
  const auto& stop = catch_interruption();
  std::vector<caveat> caveats_found;
  const auto machine = prepare_machine(begun.chosen.pin, caveats_found);
  if (const auto why = kernel_counts{{getpid()}}.reason(); !why.empty()) {
    caveats_found.push_back(caveats::calls_not_counted{why});
  }
  live_test_bed bed{plan.servers, machine.server_cpu, plan.seed, stop};
  leave_out_missing(plan, bed);
  caveats_found.insert(caveats_found.begin(), plan.left_out.begin(), plan.left_out.end());
  tell(stderr, "{}{}", title_of(plan), machine_line(machine, plan.seed));

  introduce(plan.servers, bed, begun.chosen.allow_debug, caveats_found);
  const auto header = header_of(plan, machine, begun.started, command_line("run", begun.given));
  if (begun.record) expect_same_run(begun.record->header, header);
  auto file = begun.record ? resume_journal(begun.folder, header.started_utc)
                           : begin_journal(begun.folder, header, caveats_found);
  progress shown{plan, stderr};
  return record_run(plan, bed, file, shown, begun.record.value_or(run_record{}));
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
  begun.chosen.request.descriptors = raise_descriptor_limit();
  const auto plan = plan_run(begun.chosen.request);
  if (begun.chosen.list) {
    fmt::print("{}{}", title_of(plan), contents_of(plan));
    return 0;
  }
  if (!begun.record) expect_room_for_a_run(begun.folder);
  const bool done = begun.record && begun.record->end == run_end::complete;
  const auto end = done ? run_end::complete : run(begun, plan);
  report_run(begun.folder, begun.chosen.verbose ? detail::whole : detail::brief);
  const int passed = begun.chosen.gate ? show_gate(begun.folder, *begun.chosen.gate) : 0;
  return end == run_end::interrupted ? exit_interrupted : passed;
}

}  // namespace bench
