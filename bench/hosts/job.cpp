#include <bench/hosts/job.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <bench/server/keeper.hpp>
#include <bench/server/spawn.hpp>
#include <bench/text/command_words.hpp>
#include <bench/text/failure.hpp>
#include <bench/text/file.hpp>
#include <filesystem>
#include <regex>
#include <sstream>
#include <thread>

namespace bench {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr auto until_killed = 1s;
constexpr const char* program_name = "echobench_generator";

// While it lives, this thread may use other CPUs, and so may what it starts.
class these_cpus {
 public:
  explicit these_cpus(const std::vector<int>& cpus) {
    sched_getaffinity(0, sizeof before_, &before_);
    if (cpus.empty()) return;
    cpu_set_t wanted;
    CPU_ZERO(&wanted);
    for (const int each : cpus) CPU_SET(static_cast<unsigned>(each), &wanted);
    sched_setaffinity(0, sizeof wanted, &wanted);
  }
  ~these_cpus() { sched_setaffinity(0, sizeof before_, &before_); }
  these_cpus(const these_cpus&) = delete;
  these_cpus& operator=(const these_cpus&) = delete;

 private:
  cpu_set_t before_;
};

std::string write_agent(const launcher& shell, const std::string& folder) {
  const auto script = folder + "/launch";
  replace_file(script, shell.agent_script());
  fs::permissions(script, fs::perms::owner_all);
  return script;
}

// Why each parameter: tcp alone between processes, since shared memory knows no namespaces; a
// process that waits gives way; no host starts another one, since only this one has the script; and
// a connection that is cut off is given up after some four seconds.
std::vector<std::string> parameters_of(const hosts_request& wanted, const std::string& agent) {
  std::vector<std::string> words{find_in_path("mpirun"),
                                 "--noprefix",
                                 "--leave-session-attached",
                                 "--oversubscribe",
                                 "--map-by",
                                 "slot",
                                 "--bind-to",
                                 "none"};
  if (geteuid() == 0) words.emplace_back("--allow-run-as-root");
  const auto set = [&](const char* name, const std::string& value) {
    words.insert(words.end(), {"--mca", name, value});
  };
  set("plm_rsh_agent", agent);
  set("plm_rsh_no_tree_spawn", "1");
  set("routed", "direct");
  set("btl", "tcp,self");
  set("pml", "ob1");
  set("mpi_yield_when_idle", "1");
  set("oob_tcp_keepalive_time", "2");
  set("oob_tcp_keepalive_intvl", "1");
  set("oob_tcp_keepalive_probes", "2");
  // On one host no device is needed that may go away meanwhile.
  const bool here = std::all_of(wanted.hosts.begin(), wanted.hosts.end(),
                                [](const auto& each) { return is_this_host(each.name); });
  const auto network = wanted.network.empty() && here ? "lo" : wanted.network;
  if (!network.empty()) {
    set("oob_tcp_if_include", network);
    set("btl_tcp_if_include", network);
  }
  return words;
}

std::vector<std::string> words_of(const hosts_request& wanted, const launcher& shell,
                                  const link_listener& meeting) {
  const auto program = find_program(program_name);
  auto words = parameters_of(wanted, write_agent(shell, meeting.folder()));
  // One program for all: Open MPI 5.0 crashes where a host has two.
  int on_this_host = 1;
  std::string slots, from;
  for (const auto& each : wanted.hosts) {
    const auto text = fmt::format("{}:{}", each.name, each.generators);
    from += (from.empty() ? "" : ",") + text;
    if (is_this_host(each.name))
      on_this_host += each.generators;
    else
      slots += "," + text;
  }
  words.insert(words.end(), {"-np", std::to_string(1 + wanted.generators()), "--host",
                             fmt::format("localhost:{}{}", on_this_host, slots), program, "--link",
                             meeting.path(), "--from", from});
  for (const auto& each : wanted.hosts)
    if (!each.sources.empty())
      words.insert(words.end(),
                   {"--source", fmt::format("{}={}", each.name, fmt::join(each.sources, ","))});
  return words;
}

// "[host:20371] plm:rsh: Warning: ..."
bool is_of_a_daemon(const std::string& line) {
  return line.starts_with('[');
}

}  // namespace

std::string why_no_generators() {
  const auto program = find_program(program_name);
  std::string missing;
  if (program.find('/') == std::string::npos)
    missing = "this build has no echobench_generator, which wants Boost.MPI";
  else if (find_in_path("mpirun").empty())
    missing = "there is no mpirun here";
  if (missing.empty()) return {};
  return missing +
         "; apt-get install libboost-mpi1.81-dev openmpi-bin (or libboost-mpi-dev), then "
         "build again";
}

std::vector<std::string> hosts_by_rank(const hosts_request& wanted) {
  std::vector<std::string> names{"localhost"};
  for (const auto& each : wanted.hosts)
    names.insert(names.end(), static_cast<std::size_t>(each.generators), each.name);
  return names;
}

std::string reason_in(const std::vector<std::string>& output,
                      const std::vector<std::string>& by_rank) {
  static const std::regex killed{
      R"(process rank (\d+) with PID \d+ on node (\S+) (exited on .*)\.$)"};
  static const std::regex lost{R"(^\s*Remote daemon:.* on node (\S+)$)"};
  static const std::regex node{R"(^\s*Node:\s*(\S+)$)"};
  static const std::regex launching{R"(^(\S+): exit code \d+ of the launcher$)"};
  std::smatch found;
  std::string last;
  for (std::size_t i = 0; i < output.size(); ++i) {
    auto line = output[i];
    if (line.ends_with(" exited on") && i + 1 < output.size()) line += ' ' + output[i + 1];
    if (std::regex_search(line, found, killed)) {
      const auto rank = static_cast<std::size_t>(std::stoul(found[1]));
      const auto host = rank < by_rank.size() ? by_rank[rank] : found[2].str();
      return fmt::format("{}: the generator of rank {} {}", host, rank, found[3].str());
    }
    if (std::regex_search(line, found, lost))
      return fmt::format("{}: the connection to its daemon was lost", found[1].str());
    if (std::regex_search(line, found, launching))
      return fmt::format("{}: {}{}", found[1].str(),
                         last.find(": ") == std::string::npos ? "" : last + ", ",
                         line.substr(line.find(": ") + 2));
    if (std::regex_search(line, found, node))
      return fmt::format("{}: it has no {} where this host has it", found[1].str(), program_name);
    if (!line.empty() && !line.starts_with("----") && !is_of_a_daemon(line)) last = line;
  }
  return {};
}

generator_job::generator_job(const hosts_request& wanted, const link_listener& meeting,
                             const std::vector<int>& cpus)
    : shell_{wanted.launcher},
      by_rank_{hosts_by_rank(wanted)},
      output_{"output"},
      errors_{"errors"} {
  const auto words = words_of(wanted, shell_, meeting);
  const these_cpus lent{cpus};
  const auto started = spawn(words, std::nullopt, output_.descriptor(), errors_.descriptor(),
                             "TMPDIR=" + meeting.folder());
  pid_ = started.pid;
  if (started.reason != 0) {
    stop();
    throw run_invalid(fmt::format("cannot start {}", words.front()));
  }
}

bool generator_job::has_ended() {
  if (pid_ < 0) return true;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) != pid_) return false;
  forget(pid_);
  pid_ = -1;
  return true;
}

void generator_job::listen() {
  for (auto* from : {&output_, &errors_})
    while (const auto line = from->next_line()) said_.push_back(*line);
}

std::string generator_job::last_words() {
  listen();
  const auto said = std::find_if(said_.rbegin(), said_.rend(), [](const std::string& line) {
    return !line.empty() && !line.starts_with("---") && !line.starts_with(sign_of_life);
  });
  return said == said_.rend() ? "nothing" : *said;
}

// Those that have told their pids, by host; also the hosts where none has.
pids_by_host generator_job::generators() const {
  pids_by_host hosts;
  for (std::size_t rank = 1; rank < by_rank_.size(); ++rank) hosts[by_rank_[rank]];
  for (const auto& line : said_) {
    std::istringstream words{line};
    std::string sign, host;
    pid_t pid = 0;
    if (words >> sign >> host >> pid && sign == sign_of_life) hosts[host].push_back(pid);
  }
  return hosts;
}

// A generator that is killed or stopped as soon as it is there has not told its pid.
std::string generator_job::missing() const {
  std::string names;
  for (const auto& [host, pids] : generators())
    if (std::count(by_rank_.begin() + 1, by_rank_.end(), host) > std::ssize(pids))
      names += (names.empty() ? "" : ", ") + host;
  return names.empty() ? names : names + ": a generator does not begin";
}

bool generator_job::some_have_begun() const {
  const auto all = generators();
  return std::any_of(all.begin(), all.end(), [&](const auto& each) {
    const auto& [host, pids] = each;
    return !pids.empty() &&
           std::count(by_rank_.begin() + 1, by_rank_.end(), host) == std::ssize(pids);
  });
}

std::string generator_job::reason() {
  listen();
  const auto told = reason_in(said_, by_rank_);
  return told.empty() && pid_ < 0 ? missing() : told;
}

// Where none has begun, the launch may only be slow.
std::string generator_job::diagnosis() {
  listen();
  const auto found = diagnose(shell_, generators());
  return found.empty() && some_have_begun() ? missing() : found;
}

bool generator_job::wait(std::chrono::milliseconds longest) {
  for (auto waited = 0ms; waited < longest; waited += 5ms) {
    if (has_ended()) return true;
    std::this_thread::sleep_for(5ms);
  }
  return has_ended();
}

void generator_job::stop() {
  if (has_ended()) return;
  kill(pid_, SIGTERM);
  if (wait(until_killed)) return;
  kill(-pid_, SIGKILL);
  wait(until_killed);
}

}  // namespace bench
