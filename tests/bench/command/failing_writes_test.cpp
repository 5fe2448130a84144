// Whichever call of echobench fails that writes: it says so, and loses nothing.
//
//     failing_writes_test -- all        # every fault; a run takes seconds, and there are many
//     failing_writes_test -- SEED       # what CTest chose: the same faults once more
//     failing_writes_test -- 'report: call 3'   # those whose line begins so
#include <tests/bench/command/failing_writes.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <bench/record/record.hpp>
#include <bench/selftest/odd_server.hpp>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <map>
#include <memory>
#include <random>

#include <tests/bench/synthetic_run.hpp>
#include <tests/sanitized.hpp>
#include <tests/scratch_folder.hpp>

namespace fs = std::filesystem;

namespace {

using words = std::vector<std::string>;
using kind = writing_call::kind;
using files = std::map<std::string, std::string>;  // the content of each file, by its path

const fs::path program = fs::read_symlink("/proc/self/exe").parent_path() / "echobench";

words command_of(words arguments) {
  arguments.insert(arguments.begin(), program.string());
  return arguments;
}

const words shortest_run{
    "run",      "--suite", "quick",  "--rounds", "1",        "--servers", "floor/epoll,floor/epoll",
    "--filter", "c16/64",  "--seed", "1",        "--output", "runs/one",  "--allow-debug"};

// --- what is run ---------------------------------------------------------------------------------

void empty_folder(const fs::path&) {}

void write_text(const fs::path& file, const std::string& text) {
  fs::create_directories(file.parent_path());
  std::ofstream{file} << text;
}

// A run as it was measured here, once for all cases; its reports are those of another time.
void a_run(const fs::path& folder) {
  static const scratch_folder measured;
  static const auto ended = run_watched(command_of(shortest_run), {.folder = measured.path()});
  BOOST_REQUIRE_MESSAGE(ended.exit_code == 0, ended.err);
  write_text(folder / "runs/one/run.ndjson", measured.read("runs/one/run.ndjson"));
  write_text(folder / "runs/one/report.json", "old");
  write_text(folder / "runs/one/report.html", "old");
}

void two_runs(const fs::path& folder) {
  static const auto first = ndjson_of(synthetic_run({.rounds = 6}));
  static const auto second = ndjson_of(synthetic_run({.rounds = 6, .seed = 8}));
  write_text(folder / "runs/one/run.ndjson", first);
  write_text(folder / "runs/two/run.ndjson", second);
}

void documents(const fs::path& folder) {
  a_run(folder);
  const std::string text = "# Two\n\n<!-- from runs/one: memory -->\nold\n<!-- end -->\n";
  write_text(folder / "a.md", text);
  write_text(folder / "docs/b.md", text + "more\n");
}

// A run that was killed in the midst of a line, after its first blocks.
void part_of_a_run(const fs::path& folder) {
  a_run(folder);
  const auto file = folder / "runs/one/run.ndjson";
  fs::resize_file(file, fs::file_size(file) - 700);
}

std::string port_of_a_server() {
  static const odd_server server;
  return std::to_string(server.port());
}

struct subject {
  std::string name;
  words arguments;
  void (*prepare)(const fs::path& folder);
  bool takes_seconds = false;
  words again = {};  // what goes on if the journal of a run was begun; empty: the same once more
};

const std::vector<subject>& subjects() {
  static const std::vector<subject> all{
      {"help", {"--help"}, empty_folder},
      {"run --help", {"run", "--help"}, empty_folder},
      {"report --help", {"report", "--help"}, empty_folder},
      {"run --list", {"run", "--suite", "quick", "--list"}, empty_folder},
      {"report", {"report", "runs/one"}, a_run},
      {"resume of a complete run", {"run", "--resume", "runs/one"}, a_run},
      {"splice", {"report", "runs/one", "--splice", "a.md", "docs/b.md"}, documents},
      {"check", {"report", "runs/one", "--check", "--splice", "a.md"}, documents},
      {"compare", {"compare", "runs/one", "runs/two"}, two_runs},
      {"compare --markdown", {"compare", "runs/one", "runs/two", "--markdown"}, two_runs},
      {"compare --json", {"compare", "runs/one", "runs/two", "--json"}, two_runs},
      {"compare --page", {"compare", "runs/one", "runs/two", "--page", "page.html"}, two_runs},
      {"compare --gate", {"compare", "runs/one", "runs/two", "--gate", "3%"}, two_runs},
      {"load", {"load", "127.0.0.1", port_of_a_server(), "--duration", "50ms"}, empty_folder},
      {"doctor", {"doctor", "--pin", "none"}, empty_folder, true},
      {"selftest", {"selftest", "omission", "--broken", "--allow-debug"}, empty_folder, true},
      {"duel",
       {"duel", "floor/epoll", "floor/epoll", "--duration", "1s", "--allow-debug"},
       empty_folder,
       true},
      {"run", shortest_run, empty_folder, true, {"run", "--resume", "runs/one"}},
      {"resume", {"run", "--resume", "runs/one"}, part_of_a_run, true},
  };
  return all;
}

// --- what must hold ------------------------------------------------------------------------------

files files_in(const fs::path& folder) {
  files all;
  for (const auto& each : fs::recursive_directory_iterator{folder}) {
    if (!each.is_regular_file()) continue;
    std::ostringstream text;
    text << std::ifstream{each.path()}.rdbuf();
    all[fs::relative(each.path(), folder).string()] = text.str();
  }
  return all;
}

struct usual_end {
  subject of;
  watched_end ended;
  files after;
};

struct one_case {
  std::shared_ptr<const usual_end> usual;
  writing_call call;
  write_fault fault;
};

std::string text(const one_case& each) {
  const auto* error =
      each.fault.error == write_fault::one_byte ? "one byte" : ::strerrorname_np(each.fault.error);
  return fmt::format("{}: call {}, {}: {}{}", each.usual->of.name, each.fault.call,
                     each.call.text(), error, each.fault.lasts ? " from there on" : "");
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::ptrdiff_t lines_in(const std::string& text) {
  return std::count(text.begin(), text.end(), '\n');
}

// The part of standard error that says why echobench failed.
std::string complaint_in(const std::string& err) {
  const auto at = err.rfind("echobench: ");
  return at == std::string::npos ? "" : err.substr(at);
}

// Nothing is lost if less is written at once, or if nobody reads how far a run is. A folder that
// was only made to try whether it can be made may stay.
bool passes(const one_case& each) {
  return each.fault.error == write_fault::one_byte || each.call.path == "standard error" ||
         each.call.of == kind::remove;
}

std::string wrong_in_the_end(const one_case& each, const watched_end& ended) {
  const auto& usual = each.usual->ended;
  if (ended.signal != 0) return fmt::format("ended by signal {}", ended.signal);
  if (!ended.left.empty()) return fmt::format("{} processes are left", ended.left.size());
  if (passes(each)) {
    return ended.exit_code == usual.exit_code
               ? ""
               : fmt::format("exit code {} instead of {}: {}", ended.exit_code, usual.exit_code,
                             ended.err);
  }
  const auto said = complaint_in(ended.err);
  const bool refused_at_once = holds(said, "cannot write there");
  const int expected = usual.exit_code != 0 ? usual.exit_code : refused_at_once ? 2 : 3;
  if (ended.exit_code != expected)
    return fmt::format("exit code {} instead of {}: {}", ended.exit_code, expected, ended.err);
  const auto more_lines = lines_in(ended.err) - lines_in(usual.err);
  if (lines_in(said) != 1 || (more_lines != 1 && !each.usual->of.takes_seconds))
    return fmt::format("not one line: {}", ended.err);
  const auto name = each.call.path.substr(0, each.call.path.find(".unfinished"));
  if (!holds(said, name) || holds(said, "unfinished"))
    return fmt::format("does not name {}: {}", name, said);
  if (!holds(said, std::strerror(each.fault.error))) return fmt::format("no reason: {}", said);
  return {};
}

// Then what is not finished stays, and that too of which no line could be written.
bool cannot_remove(const one_case& each) {
  return each.call.of == kind::remove || (each.fault.lasts && each.fault.error == EROFS);
}

// Each file is as it was before, or as it is without a fault.
std::string wrong_in_the_files(const one_case& each, const files& before, const files& after) {
  for (const auto& [path, content] : before)
    if (!after.contains(path)) return fmt::format("{} is lost", path);
  for (const auto& [path, content] : after) {
    if (path.ends_with(".unfinished")) {
      if (!cannot_remove(each)) return fmt::format("{} is left", path);
      continue;
    }
    const auto old = before.find(path);
    const auto usual = each.usual->after.find(path);
    const bool is_old = old != before.end() && old->second == content;
    const bool is_new = usual != each.usual->after.end() && usual->second == content;
    const bool is_measured_anew =
        each.usual->of.takes_seconds && (!content.empty() || cannot_remove(each));
    if (!is_old && !is_new && !is_measured_anew)
      return fmt::format("{} has {} bytes, and is neither old nor new", path, content.size());
  }
  return {};
}

std::string without_last_line(const std::string& text) {
  return text.substr(0, text.rfind('\n') + 1);
}

// After the fault all can be done once more, and what the journal of a run held is kept.
std::string wrong_afterwards(const one_case& each, const fs::path& folder, const files& left) {
  const auto& of = each.usual->of;
  if (each.usual->after.empty()) return {};
  const auto journal = left.find("runs/one/run.ndjson");
  const bool begun = journal != left.end();
  if (begun && journal->second.empty()) return {};
  const auto again = run_watched(command_of(begun && !of.again.empty() ? of.again : of.arguments),
                                 {.folder = folder});
  if (again.exit_code != each.usual->ended.exit_code)
    return fmt::format("exit code {} afterwards: {}", again.exit_code, again.err);
  const auto now = files_in(folder);
  for (const auto& [path, content] : each.usual->after) {
    if (!now.contains(path)) return fmt::format("no {} afterwards", path);
    if (!of.takes_seconds && now.at(path) != content)
      return fmt::format("another {} afterwards", path);
  }
  for (const auto& [path, content] : left) {
    if (!of.takes_seconds || !path.ends_with("run.ndjson")) continue;
    if (!now.at(path).starts_with(without_last_line(content)))
      return fmt::format("{} lost lines", path);
    if (bench::read_run(folder / path).blocks.size() != 3U)
      return fmt::format("{} has not all blocks", path);
  }
  return {};
}

// What is wrong with a case, or an empty text.
std::string wrong_in(one_case each) {
  const scratch_folder folder;
  each.usual->of.prepare(folder.path());
  const auto before = files_in(folder.path());
  const auto ended = run_watched(command_of(each.usual->of.arguments),
                                 {.folder = folder.path(), .fault = each.fault});
  if (ended.calls.size() < each.fault.call) return {};  // a run may have made fewer this time
  each.call = ended.calls[each.fault.call - 1];         // or another one before it
  if (const auto wrong = wrong_in_the_end(each, ended); !wrong.empty()) return wrong;
  const auto left = files_in(folder.path());
  if (const auto wrong = wrong_in_the_files(each, before, left); !wrong.empty()) return wrong;
  return wrong_afterwards(each, folder.path(), left);
}

// --- cases ---------------------------------------------------------------------------------------

std::shared_ptr<const usual_end> usual_end_of(const subject& of) {
  const scratch_folder folder;
  of.prepare(folder.path());
  auto ended = run_watched(command_of(of.arguments), {.folder = folder.path()});
  BOOST_TEST(ended.left.empty());
  BOOST_TEST(ended.exit_code >= 0, of.name << ended.err);
  BOOST_TEST(!ended.calls.empty(), of.name);
  for (std::size_t i = 0; i < ended.calls.size(); ++i)
    BOOST_TEST_MESSAGE(fmt::format("{} {} {}", of.name, i + 1, ended.calls[i].text()));
  return std::make_shared<usual_end>(usual_end{of, std::move(ended), files_in(folder.path())});
}

std::vector<one_case> cases_of(const subject& of) {
  const auto usual = usual_end_of(of);
  std::vector<one_case> all;
  const auto& calls = usual->ended.calls;
  for (std::size_t i = 0; i < calls.size(); ++i) {
    // The reports of a complete run, which take no time, have these faults.
    if (of.takes_seconds && holds(calls[i].path, ".unfinished")) continue;
    for (const auto& fault : faults_of(calls[i], i + 1)) all.push_back({usual, calls[i], fault});
  }
  return all;
}

std::string wanted() {
  const auto& suite = boost::unit_test::framework::master_test_suite();
  return suite.argc > 1 ? suite.argv[1] : "";
}

void append(std::vector<one_case>& all, std::vector<one_case> more) {
  all.insert(all.end(), more.begin(), more.end());
}

// Some of the faults of commands that take no time, and fewer of those that do.
std::vector<one_case> some_cases(std::uint32_t seed) {
  constexpr int of_slow_ones = sanitized ? 1 : 2;
  constexpr std::size_t one_in = sanitized ? 24 : 6;
  BOOST_TEST_MESSAGE("seed " << seed);
  std::vector<one_case> all;
  std::vector<subject> slow;
  for (const auto& each : subjects())
    each.takes_seconds ? slow.push_back(each) : append(all, cases_of(each));
  std::mt19937 random{seed};
  std::shuffle(all.begin(), all.end(), random);
  all.resize(all.size() / one_in);
  std::shuffle(slow.begin(), slow.end(), random);
  for (int i = 0; i < of_slow_ones; ++i) {
    const auto cases = cases_of(slow[static_cast<std::size_t>(i)]);
    all.push_back(cases[random() % cases.size()]);
  }
  return all;
}

// By the program's argument: all, those whose line has it, or some by that seed.
std::vector<one_case> chosen_cases() {
  const auto argument = wanted();
  if (argument.find_first_not_of("0123456789") == std::string::npos)
    return some_cases(argument.empty() ? std::random_device{}()
                                       : static_cast<std::uint32_t>(std::stoul(argument)));
  std::vector<one_case> all;
  for (const auto& each : subjects())
    if (argument == "all" || argument.starts_with(each.name)) append(all, cases_of(each));
  if (argument != "all")
    std::erase_if(all, [&](const auto& each) { return !text(each).starts_with(argument); });
  return all;
}

boost::test_tools::assertion_result kernel_asks(boost::unit_test::test_unit_id) {
  boost::test_tools::assertion_result yes{can_watch_writes()};
  yes.message() << "the kernel does not let a process answer for another (seccomp)";
  return yes;
}

}  // namespace

BOOST_AUTO_TEST_CASE(whichever_write_fails_is_named_and_loses_nothing,
                     *boost::unit_test::precondition(kernel_asks)) {
  const auto cases = chosen_cases();
  for (const auto& each : cases) {
    const auto wrong = wrong_in(each);
    BOOST_TEST(wrong == "", text(each) << ": " << wrong);
  }
  BOOST_TEST_MESSAGE(cases.size() << " faults injected");
}

BOOST_AUTO_TEST_CASE(output_that_nobody_takes_is_one_line_that_says_why,
                     *boost::unit_test::precondition(kernel_asks)) {
  for (const auto& of : subjects()) {
    if (of.takes_seconds) continue;
    const int usual = usual_end_of(of)->ended.exit_code;
    for (const auto& output : {closed_pipe, std::string{"/dev/full"}}) {
      const scratch_folder folder;
      of.prepare(folder.path());
      const auto ended =
          run_watched(command_of(of.arguments), {.folder = folder.path(), .output = output});
      BOOST_TEST_CONTEXT(of.name << " into " << output) {
        BOOST_TEST(ended.exit_code == (usual == 0 ? 3 : usual));
        BOOST_TEST(lines_in(complaint_in(ended.err)) == 1, ended.err);
        BOOST_TEST(holds(ended.err, output == closed_pipe ? "incomplete: Broken pipe\n"
                                                          : "incomplete: No space left"),
                   ended.err);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_duel_in_a_pipe_ends_when_nobody_reads_it_any_more,
                     *boost::unit_test::precondition(kernel_asks)) {
  const scratch_folder folder;
  const auto ended = run_watched(
      command_of({"duel", "floor/epoll", "floor/epoll", "--duration", "10m", "--allow-debug"}),
      {.folder = folder.path(), .output = closed_pipe});
  BOOST_TEST(ended.exit_code == 3);
  BOOST_TEST(ended.left.empty());
}
