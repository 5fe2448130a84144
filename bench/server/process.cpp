#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bench/server/keeper.hpp>
#include <bench/server/process.hpp>
#include <bench/text/command_words.hpp>
#include <bench/text/failure.hpp>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <thread>

namespace bench {
namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr auto grace = 1s;           // between SIGTERM and SIGKILL
constexpr auto glance = 1ms;         // between two looks at a server that starts or ends
constexpr auto line_follows = 50ms;  // from accepting connections to the listening line
constexpr std::string_view port_place = "{port}";
constexpr std::string_view path_place = "{path}";

// Nobody listens there now. Another process could take it before the server does: then the server
// says so, and the run ends with its words.
std::uint16_t free_port() {
  const descriptor socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof any;
  auto* generic = reinterpret_cast<sockaddr*>(&any);
  if (::bind(socket.get(), generic, length) != 0 ||
      ::getsockname(socket.get(), generic, &length) != 0) {
    throw run_invalid(fmt::format("cannot find a free port: {}", std::strerror(errno)));
  }
  return ntohs(any.sin_port);
}

bool accepts(const address& where) {
  const descriptor socket{::socket(where.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  return ::connect(socket.get(), where.get(), where.length) == 0;
}

// Of this process, and of no other server that it starts.
std::string free_path() {
  static int number = 0;
  return (std::filesystem::temp_directory_path() /
          fmt::format("echobench.{}.{}", getpid(), ++number))
      .string();
}

std::vector<std::string> split_command(const server_info& server, std::uint16_t& port,
                                       std::string& path) {
  auto words = split_words(server.command);
  if (words.empty()) throw usage_error(fmt::format("server '{}' has no command", server.name));
  for (auto& word : words) {
    if (word == path_place) word = path = free_path();
    const auto place = word.find(port_place);
    if (place == std::string::npos) continue;
    if (port == 0) port = free_port();
    word.replace(place, port_place.size(), fmt::format("{}", port));
  }
  words.front() = find_program(words.front());
  return words;
}

descriptor memory_file(const char* name) {
  descriptor file{memfd_create(name, MFD_CLOEXEC)};
  if (!file)
    throw run_invalid(fmt::format("cannot create a memory file: {}", std::strerror(errno)));
  return file;
}

std::string text_of(const descriptor& file) {
  std::array<char, 4096> bytes;
  std::string text;
  while (true) {
    const auto count =
        pread(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(text.size()));
    if (count <= 0) return text;
    text.append(bytes.data(), static_cast<std::size_t>(count));
    if (text.size() > (1U << 20)) return text;
  }
}

std::string last_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  const auto end = text.rfind('\n');
  return end == std::string::npos ? text : text.substr(end + 1);
}

std::string ending_of(const siginfo_t& child) {
  if (child.si_code == CLD_EXITED) return fmt::format("exited with status {}", child.si_status);
  return fmt::format("was killed by signal {} ({})", child.si_status, strsignal(child.si_status));
}

// The process and what it has started: all of its process group, itself first.
std::vector<pid_t> family_of(pid_t leader) {
  std::vector<pid_t> family{leader};
  for (const auto& entry : std::filesystem::directory_iterator{"/proc"}) {
    const auto name = entry.path().filename().string();
    pid_t pid = 0;  // stays 0 where the name is no number
    std::from_chars(name.data(), name.data() + name.size(), pid);
    if (pid > 0 && pid != leader && getpgid(pid) == leader) family.push_back(pid);
  }
  return family;
}

// The number that a process or a thread was given last, of whomever; 0 where that is not told.
// /proc/loadavg: "0.20 0.18 0.12 1/80 11206".
pid_t newest_number() {
  std::ifstream file{"/proc/loadavg"};
  std::string word;
  pid_t newest = 0;
  for (int i = 0; i < 4; ++i) file >> word;
  file >> newest;
  return newest;
}

// Page faults of its children that have ended and were waited for. None begins and ends without
// one, while its time may be less than the hundredth of a second that the kernel would tell.
// /proc/PID/stat: "pid (name) state ...", where a name may hold anything.
std::uint64_t faults_of_ended(pid_t process) {
  std::ifstream file{fmt::format("/proc/{}/stat", process)};
  std::string line;
  std::getline(file, line);
  std::istringstream rest{line.substr(line.rfind(')') + 1)};
  std::string word;
  std::uint64_t faults = 0;
  for (int i = 0; i < 8; ++i) rest >> word;  // from the state to the faults of its own
  rest >> faults;
  return faults;
}

// Sockets that listen on that port, by the names they have below /proc/PID/fd.
std::set<std::string> listeners_on(std::uint16_t port) {
  std::set<std::string> names;
  for (const auto* table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
    std::ifstream file{table};
    for (std::string line; std::getline(file, line);) {
      std::istringstream words{line};
      std::string slot, local, remote, state, skipped, inode;
      words >> slot >> local >> remote >> state;
      for (int i = 0; i < 5; ++i) words >> skipped;
      if (words >> inode && state == "0A" && local.ends_with(fmt::format(":{:04X}", port)))
        names.insert(fmt::format("socket:[{}]", inode));
    }
  }
  return names;
}

// Absent: this process may not look.
std::optional<bool> has_one_of(pid_t process, const std::set<std::string>& sockets) {
  std::error_code error;
  std::filesystem::directory_iterator open_files{fmt::format("/proc/{}/fd", process), error};
  if (error) return std::nullopt;
  return std::any_of(begin(open_files), end(open_files), [&](const auto& each) {
    return sockets.contains(std::filesystem::read_symlink(each.path(), error).string());
  });
}

// An error of exec, or the negative one of pinning.
[[noreturn]] void give_up(int failure, int reason) {
  [[maybe_unused]] const auto told = write(failure, &reason, sizeof reason);
  _exit(127);
}

// Between fork and exec only what is safe there: no allocation, no exception.
[[noreturn]] void become(char* const* arguments, std::optional<int> cpu, pid_t parent, int output,
                         int errors, int failure) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);  // it died before the line above
  if (cpu) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<unsigned>(*cpu), &one);
    if (sched_setaffinity(0, sizeof one, &one) != 0) give_up(failure, -errno);
  }
  const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
  dup2(nothing, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(errors, STDERR_FILENO);
  ::signal(SIGPIPE, SIG_DFL);  // what is ignored would be ignored beyond exec, too
  execv(arguments[0], arguments);
  give_up(failure, errno);
}

}  // namespace

server_process::server_process(const server_info& server, const launch_options& options)
    : name_{server.name}, output_{memory_file("output")}, errors_{memory_file("errors")} {
  std::uint16_t port = 0;
  const auto arguments = split_command(server, port, path_);
  start(arguments, options.cpu);
  try {
    wait_until_listening(port, options);
    count_family();
  } catch (...) {
    stop();
    throw;
  }
}

server_process::server_process(server_process&& other) noexcept
    : name_{std::move(other.name_)},
      pid_{std::exchange(other.pid_, -1)},
      ending_{std::move(other.ending_)},
      family_{std::move(other.family_)},
      newest_{other.newest_},
      faults_of_ended_{other.faults_of_ended_},
      path_{std::exchange(other.path_, {})},
      where_{std::move(other.where_)},
      announced_{std::move(other.announced_)},
      output_{std::move(other.output_)},
      errors_{std::move(other.errors_)} {}

void server_process::start(const std::vector<std::string>& arguments, std::optional<int> cpu) {
  std::vector<char*> raw;
  for (const auto& word : arguments) raw.push_back(const_cast<char*>(word.c_str()));
  raw.push_back(nullptr);

  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    throw run_invalid(fmt::format("cannot open a pipe: {}", std::strerror(errno)));
  }
  const descriptor failure{ends[0]};
  descriptor child_failure{ends[1]};
  const auto parent = getpid();
  pid_ = fork();
  if (pid_ == 0) {
    become(raw.data(), cpu, parent, output_.get(), errors_.get(), child_failure.get());
  }
  if (pid_ < 0) throw run_invalid(fmt::format("cannot start {}: {}", name_, std::strerror(errno)));
  setpgid(pid_, pid_);  // also here: a signal to the group must not come too early
  keep_after_us(pid_);
  child_failure = descriptor{};
  int reason = 0;
  if (read(failure.get(), &reason, sizeof reason) == sizeof reason) {
    stop();
    if (reason < 0)
      throw run_invalid(fmt::format("cannot pin {}: {}", name_, std::strerror(-reason)));
    throw not_available(
        fmt::format("cannot start {}: {}: {}", name_, arguments.front(), std::strerror(reason)));
  }
}

void server_process::wait_until_listening(std::uint16_t port, const launch_options& options) {
  const auto deadline = clock::now() + options.patience;
  std::optional<clock::time_point> accepted;
  if (port != 0) where_ = address::resolve("127.0.0.1", port);
  while (!read_listening_line()) {
    if (options.stop != nullptr && *options.stop) throw interrupted{};
    if (auto end = obituary()) fail_to_begin(*end);
    const auto now = clock::now();
    if (!accepted && port != 0 && accepts(where_)) accepted = now;
    if (accepted && now >= *accepted + line_follows) return;
    if (now >= deadline) {
      throw server_failed(fmt::format("{} did not listen within {:.1f} s{}", name_,
                                      static_cast<double>(options.patience.count()) / 1000,
                                      port == 0 ? ": it printed no listening line" : ""));
    }
    std::this_thread::sleep_for(glance);
  }
}

// Who leaves by itself has a reason; who is killed has crashed.
void server_process::fail_to_begin(const std::string& end) const {
  if (ending_.starts_with("exited")) throw not_available(end);
  throw server_failed(end);
}

// "listening host=127.0.0.1 port=4711 server=floor ..." as a whole line.
bool server_process::read_listening_line() {
  const auto text = text_of(output_);
  const auto start = text.starts_with("listening ") ? 0 : text.find("\nlistening ");
  if (start == std::string::npos) return false;
  const auto end = text.find('\n', start + 1);
  if (end == std::string::npos) return false;
  std::istringstream words{text.substr(start, end - start)};
  for (std::string word; words >> word;) {
    const auto equals = word.find('=');
    if (equals != std::string::npos) announced_[word.substr(0, equals)] = word.substr(equals + 1);
  }
  if (const auto path = announced_.find("unix"); path != announced_.end()) {
    where_ = address::on_path(path->second);
    return true;
  }
  const auto& digits = announced_["port"];
  std::uint16_t port = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (port == 0) {
    throw server_failed(fmt::format("{} printed a listening line without its port", name_));
  }
  auto host = announced_["host"];
  if (host.empty() || host == "0.0.0.0") host = "127.0.0.1";
  where_ = address::resolve(host == "::" ? "::1" : host, port);
  return true;
}

// Where no number was given since, nobody was born: then it costs next to nothing to see that all
// are there. The number is read first, so that whoever is born meanwhile shows the next time.
bool server_process::count_family() {
  const auto newest = newest_number();
  const auto is_there = [](pid_t each) { return kill(each, 0) == 0; };
  if (newest != 0 && newest == newest_ && std::all_of(family_.begin(), family_.end(), is_there))
    return true;
  newest_ = newest;
  auto family = family_of(pid_);
  std::uint64_t faults = 0;
  for (auto each : family) faults += faults_of_ended(each);
  const bool is_same = family == family_ && faults == faults_of_ended_;
  family_ = std::move(family);
  faults_of_ended_ = faults;
  return is_same;
}

double server_process::cpu_ns() const {
  double total = 0;
  for (const auto& each : family_) {
    timespec used{};
    clockid_t its{};
    if (clock_getcpuclockid(each, &its) != 0) continue;
    clock_gettime(its, &used);
    total += static_cast<double>(used.tv_sec) * 1e9 + static_cast<double>(used.tv_nsec);
  }
  return total;
}

bool server_process::listens_itself() const {
  if (where_.storage.ss_family == AF_UNIX) return true;
  const auto port = ntohs(reinterpret_cast<const sockaddr_in*>(&where_.storage)->sin_port);
  const auto sockets = listeners_on(port);
  return std::any_of(family_.begin(), family_.end(),
                     [&](pid_t each) { return has_one_of(each, sockets).value_or(true); });
}

std::optional<double> server_process::pss_kib() const {
  std::optional<double> total;
  for (const auto& each : family_) {
    std::ifstream rollup{fmt::format("/proc/{}/smaps_rollup", each)};
    for (std::string line; std::getline(rollup, line);) {
      if (line.starts_with("Pss:")) total = total.value_or(0) + std::stod(line.substr(4));
    }
  }
  return total;
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
  auto words = last_line(text_of(errors_));
  if (words.empty() && announced_.empty()) words = last_line(text_of(output_));
  return words.empty() ? fmt::format("{} {}", name_, ending_)
                       : fmt::format("{} {}: {}", name_, ending_, words);
}

// Looks without reaping: as long as the process is there, its number and its group's are its own.
bool server_process::has_ended() {
  if (!ending_.empty()) return true;
  siginfo_t child{};
  const auto number = static_cast<id_t>(pid_);
  if (pid_ <= 0 || waitid(P_PID, number, &child, WEXITED | WNOHANG | WNOWAIT) != 0) return false;
  if (child.si_pid == pid_) ending_ = ending_of(child);
  return !ending_.empty();
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
  kill(-pid_, SIGKILL);  // and whatever it started and left behind
  forget(pid_);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
  if (!path_.empty()) unlink(path_.c_str());  // it could not, if it was killed
}

}  // namespace bench
