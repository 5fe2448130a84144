#include <tests/child_process.hpp>

#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <system_error>

namespace {

constexpr std::string_view role_option = "--role=";

struct pipe_ends {
  int read;
  int write;
};

pipe_ends make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) throw std::system_error{errno, std::system_category(), "pipe"};
  return {ends[0], ends[1]};
}

[[noreturn]] void become(const std::vector<std::string>& command, int output, int errors) {
  std::vector<char*> arguments;
  for (const auto& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(errors, STDERR_FILENO);
  ::execv(arguments[0], arguments.data());
  ::_exit(127);
}

// Returns false at the end of the stream.
bool read_more(int descriptor, std::string& text) {
  std::array<char, 4096> bytes;
  const auto n = ::read(descriptor, bytes.data(), bytes.size());
  if (n > 0) text.append(bytes.data(), static_cast<std::size_t>(n));
  return n > 0;
}

// Reads both pipes at the same time. If we read one to its end first, a child that fills the other
// would block for ever.
void read_both(int output, int errors, ended_process& ended) {
  std::array<pollfd, 2> open{{{output, POLLIN, 0}, {errors, POLLIN, 0}}};
  while (open[0].fd >= 0 || open[1].fd >= 0) {
    ::poll(open.data(), open.size(), -1);
    if (open[0].revents != 0 && !read_more(output, ended.output)) open[0].fd = -1;
    if (open[1].revents != 0 && !read_more(errors, ended.errors)) open[1].fd = -1;
  }
}

}  // namespace

ended_process run_program(const std::vector<std::string>& command) {
  const auto output = make_pipe();
  const auto errors = make_pipe();
  const auto child = ::fork();
  if (child == 0) become(command, output.write, errors.write);
  ::close(output.write);
  ::close(errors.write);
  ended_process ended;
  read_both(output.read, errors.read, ended);
  ::close(output.read);
  ::close(errors.read);
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status)) ended.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) ended.signal = WTERMSIG(status);
  return ended;
}

ended_process run_role(std::string_view name) {
  return run_program({"/proc/self/exe", std::string{role_option} + std::string{name}});
}

int run_tests_or_role(std::initializer_list<role> roles, int argc, char** argv) {
  const std::string_view asked = argc == 2 ? argv[1] : "";
  for (const auto& each : roles) {
    if (asked != std::string{role_option} + std::string{each.name}) continue;
    rlimit core{};  // no core file by default: many roles crash on purpose
    ::getrlimit(RLIMIT_CORE, &core);
    core.rlim_cur = 0;
    ::setrlimit(RLIMIT_CORE, &core);
    each.play();
    return 0;
  }
  return boost::unit_test::unit_test_main([] { return true; }, argc, argv);
}
