#include <tests/bench/contract/server_process.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace {

using clock_type = std::chrono::steady_clock;

struct child {
  pid_t pid;
  int output;  // the read end of a pipe
  int errors;  // the same; -1: standard error is not caught
};

bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
}

// A server with a thread per connection has several threads anyway and accepts no such option.
void leave_out_threads(arguments& all) {
  if (std::filesystem::path{all.front()}.filename() != "thread_echo") return;
  const auto given = std::find(all.begin(), all.end(), "--threads");
  if (all.end() - given >= 2 && is_number(given[1])) all.erase(given, given + 2);
}

arguments command_line(const arguments& extra) {
  const auto& suite = boost::unit_test::framework::master_test_suite();
  arguments all{suite.argv + 1, suite.argv + suite.argc};
  if (all.empty())
    throw std::runtime_error{"no server: server_test [OPTION...] -- SERVER [ARGUMENT...]"};
  for (const auto* option : {"--io", "--buffer"}) {
    const auto given = std::find(all.begin(), all.end(), option);
    const bool again = std::find(extra.begin(), extra.end(), option) != extra.end();
    if (again && given != all.end()) all.erase(given, given + 2);
  }
  all.insert(all.end(), extra.begin(), extra.end());
  leave_out_threads(all);
  return all;
}

template <std::size_t Size>
void install(sock_filter (&rules)[Size]) {
  const sock_fprog program{static_cast<unsigned short>(Size), rules};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

void forbid_io_uring() {
  sock_filter rules[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  install(rules);
}

// The system call bpf(), and the third argument of setsockopt() that attaches a classic program.
void forbid_steering() {
  sock_filter rules[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_bpf, 3, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_setsockopt, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[2])),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SO_ATTACH_REUSEPORT_CBPF, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  install(rules);
}

// Runs between fork and exec, so it may only make async-signal-safe calls.
[[noreturn]] void become(std::vector<char*>& argv, pid_t parent, int output, int errors,
                         const server_process::limits& limited) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);
  dup2(output, STDOUT_FILENO);
  if (errors >= 0) dup2(errors, STDERR_FILENO);
  const auto set = [](auto resource, std::optional<unsigned long> most) {
    if (!most) return;
    const rlimit limit{*most, *most};
    setrlimit(resource, &limit);
  };
  set(RLIMIT_NOFILE, limited.descriptors);
  set(RLIMIT_AS, limited.memory);
  set(RLIMIT_FSIZE, limited.file_size);
  if (!limited.io_uring) forbid_io_uring();
  if (!limited.steering) forbid_steering();
  for (const int each : limited.closed) close(each);
  if (!limited.hangup) std::signal(SIGHUP, SIG_IGN);
  const auto write_to = [](const std::string& file, int descriptor) {
    if (!file.empty()) dup2(open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600), descriptor);
  };
  write_to(limited.output, STDOUT_FILENO);
  write_to(limited.errors, STDERR_FILENO);
  execv(argv.front(), argv.data());
  _exit(127);
}

child start(const arguments& extra, bool catch_errors, server_process::limits limited) {
  auto all = command_line(extra);
  std::vector<char*> argv;
  for (auto& argument : all) argv.push_back(argument.data());
  argv.push_back(nullptr);
  int output[2] = {-1, -1};
  int errors[2] = {-1, -1};
  if (pipe2(output, O_CLOEXEC) != 0 || (catch_errors && pipe2(errors, O_CLOEXEC) != 0)) {
    throw std::runtime_error{"no pipe"};
  }
  const auto parent = getpid();
  const auto pid = fork();
  if (pid == 0) become(argv, parent, output[1], errors[1], limited);
  close(output[1]);
  if (catch_errors) close(errors[1]);
  return {pid, output[0], errors[0]};
}

// Appends what can be read. Returns false at the end of the stream. Throws if nothing arrives in
// time.
bool read_more(int fd, std::string& into, clock_type::time_point until) {
  const auto left = std::chrono::duration_cast<milliseconds>(until - clock_type::now());
  pollfd waiting{.fd = fd, .events = POLLIN, .revents = 0};
  if (poll(&waiting, 1, static_cast<int>(std::max<long>(left.count(), 0))) <= 0) {
    throw std::runtime_error{"the server says nothing"};
  }
  char bytes[4096];
  const auto size = read(fd, bytes, sizeof bytes);
  if (size > 0) into.append(bytes, static_cast<std::size_t>(size));
  return size > 0;
}

// The exit code, or minus the number of the signal. nullopt: the process still runs.
std::optional<int> exit_code(pid_t pid, int flags) {
  int status = 0;
  if (waitpid(pid, &status, flags) != pid) return std::nullopt;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

int wait_for(pid_t pid) {
  const int process = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  pollfd ended{.fd = process, .events = POLLIN, .revents = 0};
  poll(&ended, 1, static_cast<int>(milliseconds{patience}.count()));
  close(process);
  if (const auto code = exit_code(pid, WNOHANG)) return *code;
  throw std::runtime_error{"the server does not end"};
}

std::string status_in(const std::string& folder, const std::string& field) {
  std::ifstream lines{folder + "/status"};
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(field + ":")) return line.substr(field.size() + 1);
  }
  throw std::runtime_error{"no " + field + " in " + folder};
}

std::filesystem::directory_iterator threads_of(pid_t pid) {
  return std::filesystem::directory_iterator{fmt::format("/proc/{}/task", pid)};
}

}  // namespace

bool raise_descriptor_limit(unsigned long wanted) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = std::max(limit.rlim_cur, std::min<rlim_t>(limit.rlim_max, wanted));
  return setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= wanted;
}

server_process::server_process(const arguments& extra, voice speech, limits limited) {
  arguments all;
  if (std::find(extra.begin(), extra.end(), "--port") == extra.end()) all = {"--port", "0"};
  if (speech == voice::quiet) all.emplace_back("--quiet");
  all.insert(all.end(), extra.begin(), extra.end());
  const auto started = start(all, false, limited);
  pid_ = started.pid;
  output_ = started.output;
  if (std::ranges::count(limited.closed, STDOUT_FILENO) > 0 || !limited.output.empty()) return;
  try {
    listening_line_ = read_line();
  } catch (...) {
    end();
    throw;
  }
  std::istringstream words{listening_line_};
  for (std::string word; words >> word;) {
    const auto equals = word.find('=');
    if (equals != word.npos) announced_[word.substr(0, equals)] = word.substr(equals + 1);
  }
}

server_process::~server_process() {
  end();
}

void server_process::end() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    exit_code(pid_, 0);
  }
  close(output_);
}

std::string server_process::announced(const std::string& key) const {
  const auto found = announced_.find(key);
  return found == announced_.end() ? std::string{} : found->second;
}

std::string server_process::read_line() {
  const auto until = clock_type::now() + patience;
  auto end = unread_.find('\n');
  for (; end == unread_.npos; end = unread_.find('\n')) {
    if (!read_more(output_, unread_, until)) throw std::runtime_error{"the server has ended"};
  }
  const auto line = unread_.substr(0, end);
  unread_.erase(0, end + 1);
  return line;
}

void server_process::signal(int number) const {
  kill(pid_, number);
}

int server_process::wait() {
  const int code = wait_for(pid_);
  pid_ = -1;
  return code;
}

std::chrono::nanoseconds server_process::cpu_time() const {
  clockid_t cpu_clock{};
  timespec time{};
  clock_getcpuclockid(pid_, &cpu_clock);
  clock_gettime(cpu_clock, &time);
  return seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
}

std::string server_process::status(const std::string& field) const {
  return status_in(fmt::format("/proc/{}", pid_), field);
}

long server_process::resident_kib() const {
  return std::stol(status("VmRSS"));
}

long server_process::peak_resident_kib() const {
  return std::stol(status("VmHWM"));
}

long server_process::sleeps() const {
  long all = 0;
  for (const auto& thread : threads_of(pid_)) {
    all += std::stol(status_in(thread.path(), "voluntary_ctxt_switches"));
  }
  return all;
}

bool server_process::falls_asleep() const {
  const auto sleeps = [](const auto& thread) {
    return status_in(thread.path(), "State").find('S') != std::string::npos;
  };
  for (const auto until = clock_type::now() + patience; clock_type::now() < until;) {
    if (std::ranges::all_of(threads_of(pid_), sleeps)) return true;
    std::this_thread::yield();
  }
  return false;
}

int server_process::threads() const {
  return std::stoi(status("Threads"));
}

std::size_t server_process::descriptors() const {
  const std::filesystem::directory_iterator open{fmt::format("/proc/{}/fd", pid_)};
  return static_cast<std::size_t>(std::distance(open, {}));
}

bool server_process::comes_to(std::size_t expected) const {
  for (const auto until = clock_type::now() + patience; clock_type::now() < until;
       std::this_thread::sleep_for(milliseconds{2})) {
    if (descriptors() == expected) return true;
  }
  BOOST_TEST_MESSAGE(descriptors() << " descriptors instead of " << expected);
  return false;
}

bool server_process::has_loops() const {
  return announced("server") != "thread";
}

// Asio's select reactor keeps descriptors in an fd_set, which ends at 1023.
bool server_process::ends_at_1024() const {
  return announced("server").starts_with("asio") && announced("io") == "select";
}

bool server_process::has_descriptor(const std::string& kind) const {
  namespace fs = std::filesystem;
  for (const auto& entry : fs::directory_iterator{fmt::format("/proc/{}/fd", pid_)}) {
    std::error_code vanished;
    if (fs::read_symlink(entry, vanished).string() == kind) return true;
  }
  return false;
}

finished_program run_server(const arguments& extra, server_process::limits limited) {
  const auto started = start(extra, true, limited);
  const auto until = clock_type::now() + patience;
  finished_program result{};
  try {
    while (read_more(started.output, result.output, until)) {
    }
    while (read_more(started.errors, result.errors, until)) {
    }
    result.exit_code = wait_for(started.pid);
  } catch (...) {
    kill(started.pid, SIGKILL);
    exit_code(started.pid, 0);
    throw;
  }
  close(started.output);
  close(started.errors);
  return result;
}
