#include <bench/hosts/diagnosis.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <bench/server/keeper.hpp>
#include <bench/server/output.hpp>
#include <bench/server/spawn.hpp>
#include <bench/text/command_words.hpp>
#include <chrono>
#include <list>
#include <sstream>
#include <thread>

namespace bench {
namespace {

using namespace std::chrono_literals;

constexpr auto longest_question = 1500ms;
constexpr std::string_view waits_for_connection = "02";  // SYN_SENT, as /proc/net/tcp writes it

struct question {
  std::string host;
  server_output output{"output"};
  pid_t pid = -1;

  bool is_answered() {
    if (pid < 0) return true;
    if (waitpid(pid, nullptr, WNOHANG) != pid) return false;
    forget(pid);
    pid = -1;
    return true;
  }
  void give_up() {
    if (is_answered()) return;
    kill(-pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    forget(pid);
    pid = -1;
  }
};

void ask(question& asked, const launcher& shell, const std::vector<pid_t>& generators) {
  auto words = shell.words(asked.host, question_about(generators));
  if (words.front().find('/') == std::string::npos) words.front() = find_in_path(words.front());
  asked.pid = spawn(words, std::nullopt, asked.output.descriptor(), asked.output.descriptor(),
                    "ECHOBENCH_QUESTION=1")
                  .pid;
}

// A line of /proc/net/tcp: "  0: 0100007F:61A8 00000000:0000 0A 00000000:00000000 01:00000000
// 00000000 ...", where the seventh word counts how often a segment was sent again.
bool is_unanswered(const std::string& line) {
  std::istringstream words{line};
  std::string number, local, remote, state, queues, timer, retransmits;
  words >> number >> local >> remote >> state >> queues >> timer >> retransmits;
  if (!number.ends_with(':') || retransmits.size() != 8) return false;
  return state == waits_for_connection || retransmits > "00000002";
}

std::string process_in(const std::string& host, const std::vector<std::string>& output) {
  for (const auto& line : output) {
    if (line.starts_with("gone "))
      return fmt::format("{}: its generator {} is gone", host, line.substr(5));
    // "812 (echobench_gener) T 1 ..."
    const auto name_ends = line.rfind(") ");
    if (name_ends != std::string::npos && line.find_first_of("Tt", name_ends) == name_ends + 2)
      return fmt::format("{}: its generator {} is stopped", host, line.substr(0, line.find(' ')));
  }
  return {};
}

}  // namespace

std::vector<std::string> question_about(const std::vector<pid_t>& generators) {
  const auto each = fmt::format(
      "for p in {}; do cat /proc/$p/stat 2>/dev/null || echo gone $p; done; cat /proc/net/tcp",
      fmt::join(generators, " "));
  return {"sh", "-c", each};
}

std::string finding_in(const std::string& host, const std::vector<std::string>& output) {
  const auto found = process_in(host, output);
  if (!found.empty()) return found;
  return std::any_of(output.begin(), output.end(), is_unanswered)
             ? fmt::format("{}: its connections get no answer", host)
             : std::string{};
}

// The connections of a host may be those of other programs, so they are told last; and those of
// this host lead to the others.
std::string diagnose(const launcher& shell, const pids_by_host& hosts) {
  std::list<question> asked;
  for (const auto& [host, generators] : hosts) {
    asked.emplace_back().host = host;
    ask(asked.back(), shell, generators);
  }
  const auto until = std::chrono::steady_clock::now() + longest_question;
  std::string in_processes, silent, in_connections;
  for (auto& each : asked) {
    while (!each.is_answered() && std::chrono::steady_clock::now() < until)
      std::this_thread::sleep_for(5ms);
    const bool has_answered = each.is_answered();
    each.give_up();
    std::vector<std::string> lines;
    while (const auto line = each.output.next_line()) lines.push_back(*line);
    // A host with many connections may still be listing them.
    if (!has_answered && lines.empty())
      silent = fmt::format("{}: the launcher gets no answer", each.host);
    if (in_processes.empty()) in_processes = process_in(each.host, lines);
    if (in_connections.empty() && !is_this_host(each.host))
      in_connections = finding_in(each.host, lines);
  }
  return !in_processes.empty() ? in_processes : !silent.empty() ? silent : in_connections;
}

}  // namespace bench
