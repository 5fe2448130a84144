#include <tests/bench/command/failing_writes.hpp>

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bench/contract/descriptor.hpp>
#include <bench/server/family.hpp>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <optional>
#include <system_error>
#include <thread>

#include <tests/scratch_folder.hpp>

namespace {

using kind = writing_call::kind;
using bench::descriptor;
namespace fs = std::filesystem;
using namespace std::chrono_literals;

// What a system call writes to: the descriptor or the path among its arguments.
struct trap {
  std::uint32_t number;
  kind of;
  int descriptor = -1;  // which argument; -1: none
  int path = -1;
  int flags = -1;  // of open(); a call that opens for reading does not write
};
const std::array traps{
#ifdef SYS_open
    trap{SYS_open, kind::open, -1, 0, 1},
    trap{SYS_creat, kind::open, -1, 0},
    trap{SYS_mkdir, kind::make_folder, -1, 0},
    trap{SYS_rename, kind::rename, -1, 0},
    trap{SYS_chmod, kind::permit, -1, 0},
    trap{SYS_unlink, kind::remove, -1, 0},
    trap{SYS_rmdir, kind::remove, -1, 0},
#endif
    trap{SYS_openat, kind::open, -1, 1, 2},
    trap{SYS_mkdirat, kind::make_folder, -1, 1},
    trap{SYS_write, kind::write, 0},
    trap{SYS_pwrite64, kind::write, 0},
    trap{SYS_writev, kind::write, 0},
    trap{SYS_renameat, kind::rename, -1, 1},
    trap{SYS_renameat2, kind::rename, -1, 1},
    trap{SYS_ftruncate, kind::truncate, 0},
    trap{SYS_fchmod, kind::permit, 0},
    trap{SYS_fchmodat, kind::permit, -1, 1},
    trap{SYS_flock, kind::lock, 0},
    trap{SYS_close, kind::close, 0},
    trap{SYS_unlinkat, kind::remove, -1, 1},
};

std::system_error failed(const char* what) {
  return {errno, std::system_category(), what};
}

int checked(long result, const char* what) {
  if (result < 0) throw failed(what);
  return static_cast<int>(result);
}

// --- the program that is watched -----------------------------------------------------------------

// All calls of traps wait for our answer. Returns the descriptor from which we learn of them.
int install_filter() {
  std::vector<sock_filter> filter{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))};
  for (const auto& each : traps) {
    filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, each.number, 0, 1));
    filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF));
  }
  filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  const sock_fprog instructions{static_cast<unsigned short>(filter.size()), filter.data()};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
  return static_cast<int>(::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                                    SECCOMP_FILTER_FLAG_NEW_LISTENER, &instructions));
}

// A message with one descriptor.
struct passed_descriptor {
  passed_descriptor() {
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    message.msg_control = room.data();
    message.msg_controllen = room.size();
  }
  char byte = 0;
  iovec bytes{&byte, 1};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> room{};
  msghdr message{};
};

bool send_descriptor(int socket, int number) {
  passed_descriptor passed;
  auto* header = CMSG_FIRSTHDR(&passed.message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof number);
  std::memcpy(CMSG_DATA(header), &number, sizeof number);
  return ::sendmsg(socket, &passed.message, 0) == 1;
}

int receive_descriptor(int socket) {
  passed_descriptor passed;
  int number = -1;
  if (::recvmsg(socket, &passed.message, MSG_CMSG_CLOEXEC) != 1) return number;
  if (const auto* header = CMSG_FIRSTHDR(&passed.message); header != nullptr)
    std::memcpy(&number, CMSG_DATA(header), sizeof number);
  return number;
}

int open_output(const std::string& name) {
  int ends[2];
  if (name == closed_pipe) return ::pipe(ends) == 0 && ::close(ends[0]) == 0 ? ends[1] : -1;
  return ::open(name.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
}

// Between fork() and exec(), where nothing may allocate but this process has one thread.
[[noreturn]] void become(const std::vector<std::string>& command, const watched_options& options,
                         const std::string& output, const std::string& errors,
                         const std::string& mark, int told) {
  std::vector<char*> arguments;
  for (const auto& each : command) arguments.push_back(const_cast<char*>(each.c_str()));
  arguments.push_back(nullptr);
  ::putenv(const_cast<char*>(mark.c_str()));
  ::dup2(open_output(output), STDOUT_FILENO);
  ::dup2(open_output(errors), STDERR_FILENO);
  if (::chdir(options.folder.c_str()) != 0 || !send_descriptor(told, install_filter()))
    ::_exit(126);
  ::execv(arguments[0], arguments.data());
  ::_exit(127);
}

// --- the process that watches --------------------------------------------------------------------

std::string memory_of(pid_t process, std::uint64_t address, std::size_t most) {
  constexpr std::size_t page = 4096;
  std::string bytes(std::min(most, page - address % page), '\0');
  const iovec here{bytes.data(), bytes.size()};
  const iovec there{reinterpret_cast<void*>(address), bytes.size()};
  const auto count = ::process_vm_readv(process, &here, 1, &there, 1, 0);
  bytes.resize(count < 0 ? 0 : static_cast<std::size_t>(count));
  return bytes;
}

// The path at this address; it may lie on two pages.
std::string path_at(pid_t process, std::uint64_t address) {
  auto text = memory_of(process, address, 4096);
  if (text.find('\0') == std::string::npos) text += memory_of(process, address + text.size(), 4096);
  return text.c_str();
}

std::string target_of(pid_t process, int number) {
  std::error_code error;
  const auto link = "/proc/" + std::to_string(process) + "/fd/" + std::to_string(number);
  return fs::read_symlink(link, error).string();
}

bool is_open_for_writing(pid_t process, int number) {
  std::ifstream info{"/proc/" + std::to_string(process) + "/fdinfo/" + std::to_string(number)};
  for (std::string word; info >> word;) {
    if (word != "flags:" || !(info >> word)) continue;
    return (std::stoi(word, nullptr, 8) & O_ACCMODE) != O_RDONLY;
  }
  return false;
}

class watcher {
 public:
  watcher(const watched_options& options, pid_t process, descriptor listener)
      : options_{options},
        folder_{fs::canonical(options.folder).string() + '/'},
        process_{process},
        listener_{std::move(listener)} {}

  // Answers calls until the program has ended. Returns its status as waitpid() tells it.
  int run() {
    const auto deadline = std::chrono::steady_clock::now() + options_.at_most;
    int status = 0;
    while (::waitpid(process_, &status, WNOHANG) != process_) {
      if (std::chrono::steady_clock::now() > deadline) ::kill(process_, SIGKILL);
      pollfd asked{listener_.get(), POLLIN, 0};
      if (::poll(&asked, 1, 2) == 1 && (asked.revents & POLLIN) != 0) answer();
    }
    return status;
  }

  std::vector<writing_call> calls;

 private:
  void answer() {
    seccomp_notif asked{};
    if (::ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_RECV, &asked) != 0) return;  // it is gone
    seccomp_notif_resp reply{};
    reply.id = asked.id;
    reply.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    const auto call =
        static_cast<pid_t>(asked.pid) == process_ ? call_of(asked.data) : std::nullopt;
    if (call) {
      calls.push_back(*call);
      if (strikes(*call)) let_fail(asked.data, reply);
    }
    ::ioctl(listener_.get(), SECCOMP_IOCTL_NOTIF_SEND, &reply);
  }

  // nullopt: it does not write, or it concerns neither the folder nor what is told.
  std::optional<writing_call> call_of(const seccomp_data& data) const {
    const auto* found = std::find_if(traps.begin(), traps.end(), [&](const trap& each) {
      return each.number == static_cast<std::uint32_t>(data.nr);
    });
    if (found == traps.end()) return std::nullopt;
    const auto argument = [&](int which) { return data.args[static_cast<std::size_t>(which)]; };
    if (found->flags >= 0 && (argument(found->flags) & (O_ACCMODE | O_CREAT)) == O_RDONLY)
      return std::nullopt;
    const auto path = found->descriptor >= 0
                          ? written_by(static_cast<int>(argument(found->descriptor)))
                          : below_the_folder(path_at(process_, argument(found->path)));
    if (path.empty()) return std::nullopt;
    return writing_call{found->of, path};
  }

  std::string written_by(int number) const {
    if (number == STDOUT_FILENO) return "standard output";
    if (number == STDERR_FILENO) return "standard error";
    const auto path = below_the_folder(target_of(process_, number));
    return !path.empty() && is_open_for_writing(process_, number) ? path : "";
  }

  std::string below_the_folder(const std::string& path) const {
    if (path.starts_with(folder_)) return path.substr(folder_.size());
    return path.starts_with('/') || path.find(':') != std::string::npos ? "" : path;
  }

  bool strikes(const writing_call& call) const {
    const auto& fault = options_.fault;
    if (fault.call == 0 || calls.size() < fault.call) return false;
    return calls.size() == fault.call || (fault.lasts && meets(fault.error, call));
  }

  // Whether a call fails on a disk that is full or read-only.
  static bool meets(int error, const writing_call& call) {
    if (call.is_standard() || call.of == kind::close || call.of == kind::lock) return false;
    const bool takes_room = call.of == kind::open || call.of == kind::make_folder ||
                            call.of == kind::write || call.of == kind::rename;
    return takes_room || error == EROFS;
  }

  void let_fail(const seccomp_data& data, seccomp_notif_resp& reply) const {
    reply.flags = 0;
    reply.error = -options_.fault.error;
    if (options_.fault.error != write_fault::one_byte) return;
    reply.error = 0;
    reply.val = write_one_byte(data);
  }

  // Writes the first byte for the program, through its own open file.
  int write_one_byte(const seccomp_data& data) const {
    auto from = data.args[1];
    if (data.nr == SYS_writev) {
      const auto first = memory_of(process_, from, sizeof(iovec));
      iovec vector{};
      std::memcpy(&vector, first.data(), std::min(first.size(), sizeof vector));
      from = reinterpret_cast<std::uint64_t>(vector.iov_base);
    }
    const descriptor process{static_cast<int>(::syscall(SYS_pidfd_open, process_, 0))};
    const descriptor file{static_cast<int>(
        ::syscall(SYS_pidfd_getfd, process.get(), static_cast<int>(data.args[0]), 0))};
    return checked(::write(file.get(), memory_of(process_, from, 1).data(), 1), "write one byte");
  }

  const watched_options& options_;
  std::string folder_;
  pid_t process_;
  descriptor listener_;
};

// Processes end a little after the one that stops them.
std::vector<pid_t> left_after(const std::string& mark) {
  std::vector<pid_t> left;
  for (int i = 0; i < 200; ++i) {
    left = bench::processes_with(mark);
    if (left.empty()) break;
    std::this_thread::sleep_for(5ms);
  }
  for (const auto each : left) ::kill(each, SIGKILL);
  return left;
}

std::string new_mark() {
  static int number = 0;
  return "WATCHED_PROGRAM=" + std::to_string(::getpid()) + '.' + std::to_string(++number);
}

}  // namespace

std::string writing_call::text() const {
  constexpr std::array names{"open",   "make folder", "write", "rename", "truncate",
                             "permit", "lock",        "close", "remove"};
  return std::string{names[static_cast<std::size_t>(of)]} + ' ' + path;
}

std::vector<write_fault> faults_of(const writing_call& call, std::size_t number) {
  const auto errors = [&]() -> std::vector<int> {
    switch (call.of) {
      case kind::open:
        return {EACCES, EDQUOT, EIO, EMFILE, ENOSPC, EROFS};
      case kind::make_folder:
        return {EACCES, EDQUOT, EIO, ENOSPC, EROFS};
      case kind::write:
        if (call.is_standard()) return {EDQUOT, EIO, ENOSPC, EPIPE, write_fault::one_byte};
        return {EDQUOT, EIO, ENOSPC, write_fault::one_byte};
      case kind::rename:
        return {EACCES, EDQUOT, EIO, ENOSPC, EROFS};
      case kind::truncate:
        return {EIO, EPERM};
      case kind::permit:
        return {EIO, EPERM, EROFS};
      case kind::lock:
        return {ENOLCK};
      case kind::close:
        return {EDQUOT, EIO, ENOSPC};
      case kind::remove:
        return {EACCES, EIO};
    }
    return {};
  }();
  std::vector<write_fault> faults;
  for (const int error : errors) faults.push_back({number, error});
  const bool may_last = !call.is_standard() && call.of != kind::close && call.of != kind::lock &&
                        call.of != kind::remove;
  if (!may_last) return faults;
  for (const int error : {ENOSPC, EROFS}) faults.push_back({number, error, true});
  return faults;
}

bool can_watch_writes() {
  static const bool can = [] {
    const auto child = ::fork();
    if (child == 0) ::_exit(install_filter() >= 0 ? 0 : 1);
    int status = 1;
    ::waitpid(child, &status, 0);
    const descriptor self{static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0))};
    const descriptor copy{static_cast<int>(::syscall(SYS_pidfd_getfd, self.get(), 0, 0))};
    return status == 0 && copy;
  }();
  return can;
}

watched_end run_watched(const std::vector<std::string>& command, const watched_options& options) {
  const scratch_folder told;
  const auto mark = new_mark();
  const auto output = options.output.empty() ? (told / "out").string() : options.output;
  const auto errors = (told / "err").string();
  int ends[2];
  checked(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), "socketpair");
  const descriptor ours{ends[0]};
  descriptor theirs{ends[1]};
  const auto process = checked(::fork(), "fork");
  if (process == 0) become(command, options, output, errors, mark, theirs.get());
  theirs = descriptor{};
  watcher watched{options, process,
                  descriptor{checked(receive_descriptor(ours.get()), "receive_descriptor")}};
  const int status = watched.run();
  watched_end ended;
  if (WIFEXITED(status)) ended.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) ended.signal = WTERMSIG(status);
  ended.left = left_after(mark);
  ended.out = told.read("out");
  ended.err = told.read("err");
  ended.calls = std::move(watched.calls);
  return ended;
}
