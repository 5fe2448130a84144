#include <fmt/format.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <bench/contract/printable.hpp>
#include <bench/server/catalogue.hpp>
#include <bench/server/free_port.hpp>
#include <bench/server/keeper.hpp>
#include <bench/server/listening_line.hpp>
#include <bench/server/process.hpp>
#include <bench/server/spawn.hpp>
#include <bench/text/command_words.hpp>
#include <bench/text/failure.hpp>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <thread>

namespace bench {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr auto grace = 1s;               // between SIGTERM and SIGKILL
constexpr auto glance = 1ms;             // between two looks at a server that starts or ends
constexpr auto longest_reading = 100ms;  // of output, between two looks at the server itself
// How long to wait for the listening line of a server that accepts connections already.
constexpr auto line_follows = 50ms;
constexpr auto launcher_ends = 50ms;                                   // if it ends at all
constexpr std::string_view no_interpreter = "exited with status 127";  // says /usr/bin/env
constexpr std::string_view port_place = "{port}";
constexpr std::string_view path_place = "{path}";

// Where a server on `port` may listen.
std::vector<address> places_on(std::uint16_t port, bool for_other_hosts) {
  std::vector<address> all{address::resolve("127.0.0.1", port), address::resolve("::1", port)};
  if (!for_other_hosts) return all;
  const auto others = address::all_of_this_host(port);
  all.insert(all.end(), others.begin(), others.end());
  return all;
}

// The folder of TMPDIR may not exist, may not be writable, may be too long for the path of a
// socket, or may contain blanks, at which servers split their listening line. Then /tmp takes its
// place.
std::filesystem::path folder_for(const std::string& name) {
  constexpr std::size_t longest = sizeof sockaddr_un::sun_path - 1;
  std::error_code error;
  for (const auto& folder :
       {std::filesystem::temp_directory_path(error), std::filesystem::path{"/tmp"}}) {
    const auto path = (folder / name).string();
    const bool fits = path.size() <= longest && path.find_first_of(" \t\n\r") == std::string::npos;
    if (!folder.empty() && fits && access(folder.c_str(), W_OK | X_OK) == 0) return folder;
  }
  const auto* given = std::getenv("TMPDIR");
  throw run_invalid(
      fmt::format("no folder for a socket: neither TMPDIR ({}) nor /tmp is a writable folder whose "
                  "path has no blank and leaves "
                  "room for a name, of {} bytes in all",
                  given == nullptr ? "not set" : printable(given), longest));
}

// A path that this process uses for no other server.
std::string free_path() {
  static int number = 0;
  const auto name = fmt::format("echobench.{}.{}", getpid(), ++number);
  return (folder_for(name) / name).string();
}

std::vector<std::string> split_command(const server_info& server, std::uint16_t& port,
                                       std::string& path) {
  auto words = split_words(server.command);
  if (words.empty()) throw usage_error(fmt::format("server '{}' has no command", server.name));
  for (auto& word : words) {
    if (word == path_place) word = path = free_path();
    const auto place = word.find(port_place);
    if (place == std::string::npos) continue;
    if (port == 0) port = free_port(ephemeral_ports());
    word.replace(place, port_place.size(), fmt::format("{}", port));
  }
  words.front() = find_program(words.front());
  return words;
}

// A variable that no other server of any echobench has.
std::string new_mark() {
  static int number = 0;
  return fmt::format("ECHOBENCH_SERVER={}.{}", getpid(), ++number);
}

// What to install where a bundled server is missing, in brackets; empty for any other server.
std::string what_brings(const std::string& name) {
  const auto package = package_of(name);
  return package ? fmt::format(" (it needs the Debian package {})", *package) : std::string{};
}

std::string ending_of(const siginfo_t& child) {
  if (child.si_code == CLD_EXITED) return fmt::format("exited with status {}", child.si_status);
  return fmt::format("was killed by signal {} ({})", child.si_status, strsignal(child.si_status));
}

}  // namespace

server_process::server_process(const server_info& server, const launch_options& options)
    : name_{server.name}, mark_{new_mark()}, output_{"output"}, errors_{"errors"} {
  std::uint16_t port = 0;
  const auto words = split_command(server, port, path_);
  start(words, options.cpu);
  try {
    wait_until_listening(port, options);
    if (!options.reached_at.empty() && where_.storage.ss_family != AF_UNIX)
      where_ = address::resolve(options.reached_at, port_of(where_));
    family_.count();
    if (!listens_itself()) let_launcher_end();
    expect_foreground();
  } catch (...) {
    stop();
    throw;
  }
}

server_process::server_process(server_process&& other) noexcept
    : running_server{std::move(other)},
      name_{std::move(other.name_)},
      pid_{std::exchange(other.pid_, -1)},
      mark_{std::move(other.mark_)},
      ending_{std::move(other.ending_)},
      family_{std::move(other.family_)},
      counts_{std::move(other.counts_)},
      path_{std::exchange(other.path_, {})},
      where_{std::move(other.where_)},
      announced_{std::move(other.announced_)},
      output_{std::move(other.output_)},
      errors_{std::move(other.errors_)} {}

void server_process::start(const std::vector<std::string>& words, std::optional<int> cpu) {
  const auto child = spawn(words, cpu, output_.descriptor(), errors_.descriptor(), mark_);
  pid_ = child.pid;
  family_ = process_family{pid_};
  if (child.reason == 0) return;
  stop();
  if (child.reason < 0)
    throw run_invalid(fmt::format("cannot pin {}: {}", name_, std::strerror(-child.reason)));
  throw not_available(fmt::format("cannot start {}: {}: {}{}", name_, words.front(),
                                  std::strerror(child.reason), what_brings(name_)));
}

void server_process::wait_until_listening(std::uint16_t port, const launch_options& options) {
  const auto deadline = clock::now() + options.patience;
  std::optional<clock::time_point> accepted;
  const auto expected_at = places_on(port, options.for_other_hosts);
  while (!read_listening_line()) {
    if (options.stop != nullptr && *options.stop) throw interrupted{};
    if (auto end = obituary()) fail_to_begin(*end);
    const auto now = clock::now();
    for (const auto& each : expected_at) {
      if (accepted || port == 0) continue;
      if (options.for_other_hosts ? !each.accepts_here() : !each.accepts()) continue;
      where_ = each;
      accepted = now;
    }
    if (accepted && now >= *accepted + line_follows) return;
    if (now >= deadline) {
      throw server_failed(fmt::format("{} did not listen within {:.1f} s{}", name_,
                                      static_cast<double>(options.patience.count()) / 1000,
                                      port == 0 ? ": it printed no listening line" : ""));
    }
    std::this_thread::sleep_for(glance);
  }
}

// A daemon has left its process group, so its CPU time could not be counted.
void server_process::expect_foreground() {
  if (!has_ended() || ending_ != "exited with status 0" || processes_with(mark_).empty()) return;
  throw server_failed(
      fmt::format("{} became a daemon: start it so that it stays in the foreground", name_));
}

// A server that exits by itself is not available here; one that a signal killed has crashed.
void server_process::fail_to_begin(const std::string& end) {
  expect_foreground();
  if (ending_ == no_interpreter) throw not_available(end + what_brings(name_));
  if (ending_.starts_with("exited")) throw not_available(end);
  throw server_failed(end);
}

// Stops after a while even if the server prints faster than this reads.
bool server_process::read_listening_line() {
  const auto until = clock::now() + longest_reading;
  std::optional<std::map<std::string, std::string>> found;
  while (!found && clock::now() < until) {
    const auto line = output_.next_line();
    if (!line) return false;
    found = parse_listening_line(*line);
  }
  if (!found) return false;
  where_ = announced_address(name_, *found);
  for (const auto& [key, value] : *found) announced_[printable(key)] = printable(value);
  return true;
}

bool server_process::listens_itself() const {
  if (where_.storage.ss_family == AF_UNIX) return true;
  return family_.listens_on(port_of(where_));
}

void server_process::discard_old_output() const {
  output_.discard_old();
  errors_.discard_old();
}

void server_process::signal(int number) const {
  if (pid_ > 0 && ending_.empty()) kill(pid_, number);
}

void server_process::pause() const {
  if (pid_ > 0) kill(-pid_, SIGSTOP);
}
void server_process::resume() const {
  if (pid_ > 0) kill(-pid_, SIGCONT);
}

standstill::standstill(const server_process& server, std::chrono::milliseconds begins,
                       std::chrono::milliseconds length)
    : thread_{[&server, begins, length] {
        std::this_thread::sleep_for(begins);
        server.pause();
        std::this_thread::sleep_for(length);
        server.resume();
      }} {}

std::optional<std::string> server_process::obituary() {
  if (!has_ended()) return std::nullopt;
  auto words = errors_.last_line();
  if (words.empty() && announced_.empty()) words = output_.last_line();
  return words.empty() ? fmt::format("{} {}", name_, ending_)
                       : fmt::format("{} {}: {}", name_, ending_, printable(words));
}

// WNOWAIT: does not reap the process, so its PID and its process group stay reserved.
bool server_process::has_ended() {
  if (!ending_.empty()) return true;
  siginfo_t child{};
  const auto number = static_cast<id_t>(pid_);
  if (pid_ <= 0 || waitid(P_PID, number, &child, WEXITED | WNOHANG | WNOWAIT) != 0) return false;
  if (child.si_pid == pid_) ending_ = ending_of(child);
  return !ending_.empty();
}

// It may end a moment after the daemon that it started has begun to listen.
void server_process::let_launcher_end() {
  for (const auto deadline = clock::now() + launcher_ends; !has_ended() && clock::now() < deadline;)
    std::this_thread::sleep_for(glance);
}

void server_process::request_stop() {
  signal(SIGTERM);
}

void server_process::stop() {
  if (pid_ <= 0) return;
  request_stop();
  for (const auto deadline = clock::now() + grace; !has_ended() && clock::now() < deadline;) {
    std::this_thread::sleep_for(glance / 4);
  }
  kill(-pid_, SIGKILL);  // also whatever it started and left behind
  for (const pid_t each : processes_with(mark_))
    if (each != pid_) kill(each, SIGKILL);  // even if that has left the process group
  forget(pid_);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
  // A server that was killed could not remove its socket.
  if (!path_.empty()) unlink(path_.c_str());
}

}  // namespace bench
