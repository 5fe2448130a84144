// echobench run: plan, prepare, measure, report.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <bench/command/commands.hpp>
#include <bench/command/progress.hpp>
#include <bench/machine/kernel_counts.hpp>
#include <bench/measure/interruption.hpp>
#include <bench/measure/live_test_bed.hpp>
#include <bench/measure/preparation.hpp>
#include <bench/measure/resume.hpp>
#include <bench/measure/runner.hpp>
#include <bench/measure/schedule.hpp>
#include <bench/record/journal.hpp>
#include <bench/record/run_folder.hpp>
#include <bench/report/report.hpp>
#include <bench/server/catalogue.hpp>
#include <bench/text/command_words.hpp>
#include <bench/text/failure.hpp>
#include <bench/text/numbers.hpp>
#include <bench/text/terminal.hpp>
#include <random>
#include <set>

namespace bench {
namespace {

namespace fs = std::filesystem;

struct run_options {
  run_request request;
  fs::path output;
  std::string resume;  // a run folder; then everything else is as it was begun
  std::string pin;
  bool list = false;
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
    "Scenarios: c64/512 is 64 connections and messages of 512 bytes; at the end may stand\n"
    "+10000idle (so many silent connections more), /d16 (messages outstanding), and /r50% or\n"
    "/r20k (open loop, at half of what the slower server can do or 20,000 a second) or /churn\n"
    "(a connection for each message).\n\n"
    "A run that was interrupted or killed goes on with --resume DIR, from the same folder and on\n"
    "the same machine and build.\n\n"
    "Exit code: 0 measured, 2 usage, 3 the run is invalid or nobody could be told, 130 it was\n"
    "interrupted (what was measured is kept and reported).";

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
  std::optional<std::uint64_t> seed;
  options wanted{"echobench run", "", "Measures servers against each other and writes a report."};
  wanted.add("suite", chosen.request.suite, "NAME", "what to measure; the list is below");
  wanted.add("scenarios", scenarios, "A[,B...]", "instead of the suite's, as in c64/512/r20k");
  wanted.add("servers", servers, "A,B[,C...]", "compare B, C, ... with A");
  wanted.add("server", chosen.request.added, "NAME=COMMAND",
             "add any echo server; may be repeated");
  wanted.add("target", chosen.request.targets, "[NAME=]HOST:PORT",
             "add one that runs already, anywhere; may be repeated");
  wanted.add("filter", chosen.request.filter, "REGEX",
             "only rows whose 'scenario server server' matches");
  wanted.add("rounds", chosen.request.rounds, "N", "instead of the suite's; no time limit then");
  wanted.add("seed", seed, "N", "of the order of blocks and of the payload");
  wanted.add("output", output, "DIR", "where to write; default runs/<UTC time>");
  wanted.add("resume", chosen.resume, "DIR", "finish the run in this folder; no other option");
  wanted.add("pin", chosen.pin, "SERVER_CPU,CLIENT_CPU", "or none");
  wanted.add("allow-debug", chosen.allow_debug, "measure debug builds, and say so in the report");
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
  return chosen;
}

void print_title(std::FILE* out, const run_plan& plan) {
  auto expected = plan;
  expected.rounds = rounds_in_budget(plan);
  const auto rounds = expected.rounds == plan.rounds
                          ? fmt::format("{} rounds", plan.rounds)
                          : fmt::format("{} of {} rounds, as many as its {} s allow",
                                        expected.rounds, plan.rounds, plan.budget->count());
  tell(out, "{} suite   {} rows x {}   about {}   Ctrl-C keeps what is done\n", plan.suite,
       plan.pairings.size() - 1, rounds, clock_text(expected_duration(expected)));
}

void print_list(const run_plan& plan) {
  print_title(stdout, plan);
  for (const auto& each : plan.pairings) {
    fmt::print("  {:<16} {} against {}{}   {}\n", each.scenario.text(), each.comparison.contender,
               each.comparison.base, each.control ? " (control)" : "",
               each.open_loop                ? "open loop"
               : each.duet && each.exclusive ? "duet, exclusive"
               : each.duet                   ? "duet"
                                             : "exclusive");
  }
  for (const auto& each : plan.servers)
    fmt::print("  {:<26} {}\n", each.name,
               each.target ? "runs already at " + *each.target : each.command);
  for (const auto& each : plan.left_out) fmt::print("  {}\n", text_of(each));
}

void print_machine(const environment& machine, std::uint64_t seed) {
  const auto pins = machine.server_cpu ? fmt::format("servers on cpu{}, client on cpu{}",
                                                     *machine.server_cpu, *machine.client_cpu)
                                       : std::string{"not pinned"};
  tell(stderr, "machine  {} CPUs ({}), {}   seed {}\n", machine.cpus, machine.virtualization, pins,
       seed);
}

// Writes down what the runner tells, and passes it on to the progress line.
class recorder : public run_listener {
 public:
  recorder(journal& file, run_listener& next, const live_test_bed& bed, const run_record& begun)
      : file_{file}, next_{next}, bed_{bed} {
    for (const auto& each : begun.caveats_found)
      if (const auto* found = std::get_if<caveats::processes_changed>(&each))
        already_noted_.insert(found->server);
  }
  void on_memory(const memory_sample& sample) override {
    file_.append(to_json_line(sample));
    next_.on_memory(sample);
  }
  void on_caveat(const caveat& found) override { file_.append(to_json_line(found)); }
  void on_kernel(const kernel_sample& sample) override {
    file_.append(to_json_line(sample));
    next_.on_kernel(sample);
  }
  void on_block_kept(const block& kept) override { next_.on_block_kept(kept); }
  void on_block_starts(const planned_block& starting) override { next_.on_block_starts(starting); }
  void on_block(const block& measured) override {
    file_.append(to_json_line(measured));
    for (const auto& timed : measured.slices)
      if (!timed.cpu_ns && bed_.uncounted().contains(timed.server) &&
          already_noted_.insert(timed.server).second)
        file_.append(to_json_line(caveats::processes_changed{timed.server}));
    next_.on_block(measured);
  }
  void on_round_ends(int round) override { next_.on_round_ends(round); }
  void on_budget_spent(int rounds_done) override { next_.on_budget_spent(rounds_done); }

 private:
  journal& file_;
  run_listener& next_;
  const live_test_bed& bed_;
  std::set<std::string> already_noted_;
};

run_header header_of(const run_plan& plan, const environment& machine, std::time_t started,
                     const arguments& given) {
  run_header header;
  header.started_utc = utc_text(started);
  header.suite = plan.suite;
  header.command_line = command_line("run", given);
  header.seed = plan.seed;
  header.rounds = plan.rounds;
  header.scenarios = plan.scenarios();
  header.servers = plan.servers;
  header.comparisons = plan.comparisons();
  header.machine = machine;
  return header;
}

// What this machine or build does not have shows when it is started. What crashes then, or answers
// other bytes than it was sent, is there.
void leave_out_missing(run_plan& plan, test_bed& bed) {
  const auto planned = plan.servers;
  for (const auto& server : planned) {
    if (!may_be_missing(server.name)) continue;
    try {
      bed.introduce(server.name);
    } catch (const not_available& failure) {
      bed.abandon();
      leave_out(plan, server.name, failure.what());
      tell(stderr, "{}\n", text_of(plan.left_out.back()));
    }
  }
}

// What was measured stays, whatever ends the run; one wrong reply voids it.
run_end measure(const run_plan& plan, live_test_bed& bed, journal& file,
                const run_record& begun) try {
  progress shown{plan, stderr};
  recorder listener{file, shown, bed, begun};
  const auto end = run_rounds(plan, bed, listener, begun);
  file.append(to_json_line(end));
  return end;
} catch (const wrong_reply& wrong) {
  file.append(to_json_line(caveats::run_void{wrong.what()}));
  throw;
} catch (const std::runtime_error& failure) {
  throw run_invalid(fmt::format("{} (what was measured is kept; --resume {} goes on)",
                                failure.what(), file.path().parent_path().string()));
}

void print(const run_record& record, const fs::path& report) {
  print_summary(stdout, record, style_of(stdout));
  std::fflush(stdout);
  if (std::ferror(stdout) == 0) fmt::print("\n{}\n", report.string());
}

// Whether the disk is full or nobody reads, what does not fail is done.
void report(const fs::path& folder) {
  const auto record = read_run(folder / "run.ndjson");
  try {
    write_reports(record, folder);
  } catch (const std::exception&) {
    print_summary(stdout, record, style_of(stdout));
    throw;
  }
  print(record, folder / "report.html");
}

// Asked before anything is started. Nothing is left behind: the run may still be refused.
std::error_code try_to_write_into(const fs::path& folder) {
  std::vector<fs::path> made;
  std::error_code error, ignored;
  const auto is_there = [&](const fs::path& each) {
    return each.empty() || fs::exists(fs::symlink_status(each, ignored));
  };
  for (auto each = folder; !is_there(each); each = each.parent_path()) made.push_back(each);
  fs::create_directories(folder, error);
  if (!error && access(folder.c_str(), W_OK | X_OK) != 0)
    error = std::error_code{errno, std::generic_category()};
  for (const auto& each : made) fs::remove(each, ignored);
  return error;
}

void expect_room_for_a_run(const fs::path& folder) {
  std::error_code ignored;
  if (fs::exists(folder / "run.ndjson", ignored)) {
    throw usage_error(fmt::format(
        "--output {0}: there is a run already, with which --resume {0} goes on", folder.string()));
  }
  if (const auto error = try_to_write_into(folder)) {
    throw usage_error(
        fmt::format("--output {}: cannot write there: {}", folder.string(), error.message()));
  }
}

struct run_begin {
  run_options chosen;
  arguments given;
  fs::path folder{};
  std::time_t started = std::time(nullptr);
  std::optional<run_record> record{};  // of a run that is resumed
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

journal open_journal(const run_begin& begun, const run_header& header,
                     const std::vector<caveat>& caveats_found) {
  const auto path = begun.folder / "run.ndjson";
  if (begun.record) {
    auto file = journal::go_on(path);
    file.append(to_json_line(caveats::run_resumed{header.started_utc}));
    return file;
  }
  journal file{path};
  file.append(to_json_line(header));
  for (const auto& each : caveats_found) file.append(to_json_line(each));
  return file;
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
  print_title(stderr, plan);
  print_machine(machine, plan.seed);

  introduce(plan.servers, bed, begun.chosen.allow_debug, caveats_found);
  const auto header = header_of(plan, machine, begun.started, begun.given);
  if (begun.record) expect_same_run(begun.record->header, header);
  auto file = open_journal(begun, header, caveats_found);
  return measure(plan, bed, file, begun.record.value_or(run_record{}));
}

}  // namespace

int run_command(const arguments& given) {
  auto begun = begin(given);
  begun.chosen.request.descriptors = raise_descriptor_limit();
  const auto plan = plan_run(begun.chosen.request);
  if (begun.chosen.list) return print_list(plan), 0;
  if (!begun.record) expect_room_for_a_run(begun.folder);
  const bool done = begun.record && begun.record->end == run_end::complete;
  const auto end = done ? run_end::complete : run(begun, plan);
  report(begun.folder);
  return end == run_end::interrupted ? exit_interrupted : 0;
}

}  // namespace bench
