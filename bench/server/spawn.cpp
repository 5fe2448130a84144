#include <bench/server/spawn.hpp>

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <bench/contract/descriptor.hpp>
#include <bench/server/keeper.hpp>
#include <bench/text/failure.hpp>
#include <cerrno>
#include <cstring>

namespace bench {
namespace {

// Tells the parent why the child failed: errno of exec(), or negated errno of pinning.
[[noreturn]] void give_up(int failure, int reason) {
  [[maybe_unused]] const auto told = write(failure, &reason, sizeof reason);
  _exit(127);
}

// Runs between fork() and exec(), so it only makes async-signal-safe calls: no allocation, no
// exceptions.
[[noreturn]] void become(char* const* arguments, char* const* variables, std::optional<int> cpu,
                         pid_t parent, int input, int output, int errors, int failure) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);  // the parent died before prctl()
  if (cpu) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<unsigned>(*cpu), &one);
    if (sched_setaffinity(0, sizeof one, &one) != 0) give_up(failure, -errno);
  }
  dup2(input >= 0 ? input : open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(errors, STDERR_FILENO);
  for (const int ignored : {SIGPIPE, SIGXFSZ, SIGCHLD})  // it would stay ignored across exec()
    ::signal(ignored, SIG_DFL);
  execve(arguments[0], arguments, variables);
  give_up(failure, errno);
}

}  // namespace

spawned spawn(const std::vector<std::string>& words, std::optional<int> cpu, int output, int errors,
              const std::string& mark, int input) {
  std::vector<char*> raw;
  for (const auto& word : words) raw.push_back(const_cast<char*>(word.c_str()));
  raw.push_back(nullptr);
  std::vector<char*> variables{const_cast<char*>(mark.c_str())};
  for (char** each = environ; *each != nullptr; ++each) variables.push_back(*each);
  variables.push_back(nullptr);

  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    throw run_invalid(fmt::format("cannot open a pipe: {}", std::strerror(errno)));
  }
  const descriptor failure{ends[0]};
  descriptor child_failure{ends[1]};
  const auto parent = getpid();
  spawned child{.pid = fork()};
  if (child.pid == 0)
    become(raw.data(), variables.data(), cpu, parent, input, output, errors, child_failure.get());
  if (child.pid < 0) {
    throw run_invalid(fmt::format("cannot start {}: {}", words.front(), std::strerror(errno)));
  }
  // The parent does it too, so that the group exists when spawn() returns.
  setpgid(child.pid, child.pid);
  keep_after_us(child.pid);
  child_failure = descriptor{};
  [[maybe_unused]] const auto told = read(failure.get(), &child.reason, sizeof child.reason);
  return child;
}

}  // namespace bench
