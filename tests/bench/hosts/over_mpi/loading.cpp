#include <tests/bench/hosts/over_mpi/loading.hpp>

#include <signal.h>

#include <bench/hosts/job.hpp>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <optional>
#include <sstream>

namespace {

struct process_state {
  known_process who;
  pid_t parent = 0;
  char state = 0;
};

// /proc/PID/stat: "812 (name) S 1 ...", where the 22nd word is the time of its start.
std::optional<process_state> state_of(pid_t pid) {
  std::ifstream in{"/proc/" + std::to_string(pid) + "/stat"};
  std::string line;
  if (!std::getline(in, line)) return {};
  const auto name_begins = line.find('('), name_ends = line.rfind(')');
  if (name_begins == line.npos || name_ends == line.npos) return {};
  process_state found;
  found.who.pid = pid;
  found.who.name = line.substr(name_begins + 1, name_ends - name_begins - 1);
  std::istringstream rest{line.substr(name_ends + 2)};
  rest >> found.state >> found.parent;
  std::string skipped;
  for (int word = 5; word < 22; ++word) rest >> skipped;
  rest >> found.who.started;
  return found;
}

std::vector<process_state> all_processes() {
  std::vector<process_state> all;
  std::error_code ignored;
  for (const auto& each : fs::directory_iterator{"/proc", ignored}) {
    const auto pid = std::atoi(each.path().filename().c_str());
    if (pid <= 0) continue;
    if (const auto found = state_of(pid)) all.push_back(*found);
  }
  return all;
}

}  // namespace

permitted_loads::permitted_loads() {
  const permitted_network hosts;
  const auto why = bench::why_no_generators();
  if (why.empty()) return;
  std::cout << "skipped: " << why << '\n' << std::flush;
  std::_Exit(77);
}

// A zombie has ended; only its parent has not heard yet.
bool known_process::is_there() const {
  const auto found = state_of(pid);
  return found && found->who.started == started && found->state != 'Z';
}

loading_program::~loading_program() {
  if (!started_) return;
  kill(program_.pid, SIGKILL);
  waitpid(program_.pid, nullptr, 0);
}

std::string loading_program::from(const std::vector<int>& generators) const {
  std::string list;
  for (std::size_t host = 0; host < generators.size(); ++host)
    list +=
        (list.empty() ? "" : ",") + network_.name(host) + ":" + std::to_string(generators[host]);
  return list;
}

void loading_program::start(words arguments) {
  const bool resumes = std::count(arguments.begin(), arguments.end(), "--resume") != 0;
  if (std::count(arguments.begin(), arguments.end(), "--from") != 0 && !resumes) {
    // Other devices of this host may go away meanwhile.
    arguments.insert(arguments.end(), {"--network", network_.own_address() + "/24"});
    return start_with(launcher(), std::move(arguments));
  }
  program_.start(arguments);
  started_ = true;
}

void loading_program::start_with(const std::string& launcher, words arguments) {
  arguments.insert(arguments.end(), {"--launcher", launcher});
  program_.start(arguments);
  started_ = true;
}

outcome loading_program::run(const words& arguments) {
  start(arguments);
  return wait();
}

outcome loading_program::wait(std::chrono::seconds longest) {
  const auto until = std::chrono::steady_clock::now() + longest;
  while (runs()) {
    if (std::chrono::steady_clock::now() > until) kill(program_.pid, SIGKILL);
    std::this_thread::sleep_for(5ms);
  }
  started_ = false;
  return program_.wait();
}

bool loading_program::runs() const {
  siginfo_t ended{};
  waitid(P_PID, static_cast<id_t>(program_.pid), &ended, WEXITED | WNOHANG | WNOWAIT);
  return started_ && ended.si_pid == 0;
}

void loading_program::interrupt() const {
  kill(program_.pid, SIGINT);
}

std::vector<pid_t> loading_program::on(std::size_t host, const std::string& name) const {
  std::vector<pid_t> found;
  for (const auto pid : network_.processes_in(host))
    if (const auto each = state_of(pid); each && each->who.name == name) found.push_back(pid);
  return found;
}

void loading_program::look() {
  const auto all = all_processes();
  std::vector<pid_t> parents{program_.pid};
  for (std::size_t i = 0; i < parents.size(); ++i)
    for (const auto& each : all) {
      if (each.parent != parents[i]) continue;
      parents.push_back(each.who.pid);
      seen_[each.who.pid] = each.who;
    }
}

std::vector<std::string> loading_program::left() const {
  std::vector<std::string> found;
  for (const auto& [pid, each] : seen_)
    if (each.is_there()) found.push_back(each.name + " " + std::to_string(pid));
  for (std::size_t host = 0; host < network_.size(); ++host)
    for (const auto pid : network_.processes_in(host))
      if (const auto each = state_of(pid); each && each->state != 'Z')
        found.push_back(network_.name(host) + ": " + each->who.name);
  return found;
}

std::vector<std::string> loading_program::left_after(std::chrono::milliseconds longest) {
  const auto until = std::chrono::steady_clock::now() + longest;
  for (auto found = left();; found = left()) {
    if (found.empty() || std::chrono::steady_clock::now() > until) return found;
    std::this_thread::sleep_for(20ms);
  }
}
