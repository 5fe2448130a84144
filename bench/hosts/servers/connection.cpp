#include <bench/hosts/servers/connection.hpp>

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bench/contract/printable.hpp>
#include <bench/hosts/ranks/description.hpp>
#include <bench/server/keeper.hpp>
#include <bench/server/spawn.hpp>
#include <bench/text/command_words.hpp>
#include <bench/text/failure.hpp>
#include <cerrno>
#include <cstring>
#include <thread>

namespace bench {
namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

constexpr auto longest_start = 7s;
// The servers end one after the other, each within a second.
constexpr auto longest_farewell = 4s;
constexpr auto until_launcher_explains = 2s;
constexpr auto longest_kill = 1500ms;
constexpr auto between_glances = 50ms;
constexpr std::size_t longest_line = 1 << 20;
constexpr const char* mark_of_launchers = "ECHOBENCH_SERVERS=1";

std::string words_of_end(int status) {
  if (WIFEXITED(status)) return fmt::format("exit code {}", WEXITSTATUS(status));
  return fmt::format("killed by signal {} ({})", WTERMSIG(status), strsignal(WTERMSIG(status)));
}

std::vector<std::string> with_path(std::vector<std::string> words) {
  if (words.front().find('/') == std::string::npos) words.front() = find_in_path(words.front());
  return words;
}

std::string path_of_program() {
  auto path = find_program(servers_program);
  if (path.find('/') == std::string::npos)
    throw usage_error(fmt::format("--on: this build has no {}", servers_program));
  return path;
}

}  // namespace

servers_connection::servers_connection(std::string host, const launcher& shell,
                                       const std::atomic<bool>& stop)
    : host_{std::move(host)},
      shell_{shell},
      stop_{stop},
      program_{path_of_program()},
      errors_{"errors"} {
  try {
    start();
    get_to_know();
  } catch (...) {
    end_launcher();
    throw;
  }
}

servers_connection::~servers_connection() {
  socket_ = descriptor{};
  if (!failure_) wait_for_end(longest_farewell);
  end_launcher();
}

void servers_connection::start() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    throw run_invalid(fmt::format("cannot open a socket: {}", std::strerror(errno)));
  socket_ = descriptor{ends[0]};
  const descriptor theirs{ends[1]};
  const auto words = with_path(shell_.words(host_, {program_}));
  const auto child = spawn(words, std::nullopt, theirs.get(), errors_.descriptor(),
                           mark_of_launchers, theirs.get());
  pid_ = child.pid;
  if (child.reason != 0)
    fail(fmt::format("cannot start {}: {}", words.front(), std::strerror(child.reason)));
}

// What a shell of that host prints before is passed over. A hello of another build may lack
// members, so the builds are compared first.
void servers_connection::get_to_know() {
  const auto until = steady::now() + longest_start;
  auto line = next_line(until);
  auto build = build_in_hello(line);
  for (; !build; build = build_in_hello(line)) {
    greeting_ = line;
    line = next_line(until);
  }
  if (const auto here = build_of(program_); *build != here)
    fail(fmt::format("its {} is of another build, {}; here it is {}", servers_program,
                     printable(*build), here));
  hello_ = server_answer_of(line).hello.value();
}

server_answer servers_connection::ask(const server_order& order, milliseconds silence) {
  if (failure_) throw host_failed(*failure_);
  send(to_text(order) + "\n");
  std::string line;
  silence_ = silence;
  while (line.empty()) line = next_line(steady::now() + silence);
  server_answer said;
  try {
    said = server_answer_of(line);
  } catch (const std::exception&) {
    fail(fmt::format("{} says '{}'", servers_program, printable(line.substr(0, 100))));
  }
  if (said.fault) throw_fault(fmt::format("on {}: ", host_), *said.fault);
  return said;
}

void servers_connection::send(const std::string& text) {
  for (std::string_view left = text; !left.empty();) {
    const auto count = ::send(socket_.get(), left.data(), left.size(), MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) fail_by_end();
    left.remove_prefix(static_cast<std::size_t>(count));
  }
}

std::optional<std::string> servers_connection::take_line() {
  const auto end = unread_.find('\n');
  if (end == std::string::npos) return std::nullopt;
  auto line = unread_.substr(0, end);
  unread_.erase(0, end + 1);
  return line;
}

// An answer that comes at once is taken even after an interruption, so that servers end as usual.
std::string servers_connection::next_line(steady::time_point until) {
  const auto patient_until =
      hello_.build.empty() ? steady::time_point{} : steady::now() + between_glances;
  for (;;) {
    if (auto line = take_line()) return *line;
    const auto now = steady::now();
    if (stop_ && now >= patient_until) {
      failure_ = fmt::format("{}: interrupted", host_);
      throw interrupted{};
    }
    if (now >= until) fail(reason_of_silence());
    if (unread_.size() > longest_line)
      fail(fmt::format("{} says more than {} bytes in one line", servers_program, longest_line));
    pollfd watched{.fd = socket_.get(), .events = POLLIN, .revents = 0};
    if (poll(&watched, 1, static_cast<int>(between_glances / 1ms)) <= 0) continue;
    char bytes[64 * 1024];
    const auto count = recv(socket_.get(), bytes, sizeof bytes, 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) fail_by_end();
    unread_.append(bytes, static_cast<std::size_t>(count));
  }
}

bool servers_connection::has_ended() {
  if (pid_ < 0) return true;
  siginfo_t child{};
  const auto number = static_cast<id_t>(pid_);
  if (waitid(P_PID, number, &child, WEXITED | WNOHANG | WNOWAIT) == 0 && child.si_pid != pid_)
    return false;
  kill(-pid_, SIGKILL);  // what a launcher that is a script has left
  forget(pid_);
  int status = 0;
  waitpid(pid_, &status, 0);
  ending_ = words_of_end(status);
  pid_ = -1;
  return true;
}

bool servers_connection::wait_for_end(milliseconds longest) {
  for (const auto until = steady::now() + longest; !has_ended();) {
    if (steady::now() >= until) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

void servers_connection::end_launcher() {
  socket_ = descriptor{};
  if (has_ended()) return;
  kill(-pid_, SIGKILL);
  wait_for_end(1s);
  if (!hello_.build.empty()) end_program_there();
}

// A program that is stopped does not notice that its connection has ended. Killing the launcher
// kills it only where that runs it in a process of this host.
void servers_connection::end_program_there() {
  const auto script =
      fmt::format("grep -q '^echobench_serv' /proc/{0}/comm && kill -9 {0}", hello_.pid);
  server_output said{"output"};
  const auto child = spawn(with_path(shell_.words(host_, {"sh", "-c", script})), std::nullopt,
                           said.descriptor(), said.descriptor(), mark_of_launchers);
  for (const auto until = steady::now() + longest_kill; steady::now() < until;) {
    if (waitpid(child.pid, nullptr, WNOHANG) == child.pid) return forget(child.pid);
    std::this_thread::sleep_for(1ms);
  }
  kill(-child.pid, SIGKILL);
  waitpid(child.pid, nullptr, 0);
  forget(child.pid);
}

void servers_connection::fail(const std::string& reason) {
  failure_ = fmt::format("{}: {}", host_, reason);
  end_launcher();
  throw host_failed(*failure_);
}

std::string servers_connection::last_words() const {
  auto words = errors_.last_line();
  while (words.ends_with('\r')) words.pop_back();  // of ssh, which writes to a terminal
  return printable(words);
}

std::string servers_connection::reason_of_silence() const {
  if (!hello_.build.empty())
    return fmt::format("{} gives no sign of life for {} s", servers_program, silence_ / 1s);
  auto words = last_words();
  if (words.empty() && !greeting_.empty())
    words = fmt::format("instead came '{}'", printable(greeting_.substr(0, 100)));
  return fmt::format("{} gives no sign of life for {} s{}{}", servers_program, longest_start / 1s,
                     words.empty() ? "" : ": ", words);
}

std::string servers_connection::reason_of_end() const {
  const bool has_begun = !hello_.build.empty();
  const auto words = last_words();
  const bool lacks_a_library = words.find("loading shared libraries") != std::string::npos;
  if (!has_begun && ending_ == "exit code 127" && !lacks_a_library)
    return fmt::format("it has no {} where this host has it ({})", servers_program, program_);
  const auto what = fmt::format("{} {}", servers_program, has_begun ? "ended" : "did not start");
  if (ending_.empty()) return fmt::format("{}: the connection was closed", what);
  return words.empty() ? fmt::format("{}: {}", what, ending_)
                       : fmt::format("{}: {} ({})", what, words, ending_);
}

void servers_connection::fail_by_end() {
  wait_for_end(until_launcher_explains);
  fail(reason_of_end());
}

}  // namespace bench
