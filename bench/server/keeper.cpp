#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bench/contract/descriptor.hpp>
#include <bench/server/keeper.hpp>

namespace bench {
namespace {

// Far more than run at once; what does not fit is as well off as without a keeper.
using groups = std::array<pid_t, 64>;

void note(groups& kept, pid_t message) {
  const pid_t old = message > 0 ? 0 : -message;
  const auto place = std::find(kept.begin(), kept.end(), old);
  if (place != kept.end()) *place = std::max(message, 0);
}

// Reads a group to keep, or a negative one to forget, until echobench is gone: then its end of the
// pair is closed. Nothing here allocates: it runs after a fork without exec.
[[noreturn]] void keep(int messages) {
  setsid();  // Ctrl-C is not meant for it
  prctl(PR_SET_NAME, "echobench keep");
  if (messages > 0) close_range(0, static_cast<unsigned>(messages) - 1, 0);
  close_range(static_cast<unsigned>(messages) + 1, ~0U, 0);
  groups kept{};
  for (pid_t message = 0; read(messages, &message, sizeof message) == sizeof message;) {
    note(kept, message);
  }
  for (pid_t group : kept) {
    if (group > 0) kill(-group, SIGKILL);
  }
  _exit(0);
}

descriptor start() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return {};
  const descriptor reading{ends[0]};
  descriptor writing{ends[1]};
  const pid_t keeper = fork();
  if (keeper == 0) keep(reading.get());
  return writing;
}

// Started with the first server, before any other descriptor of ours could be inherited.
void tell(pid_t message) {
  static const descriptor keeper = start();
  // Whoever has killed the keeper has not meant us: no SIGPIPE.
  [[maybe_unused]] const auto told = send(keeper.get(), &message, sizeof message, MSG_NOSIGNAL);
}

}  // namespace

void keep_after_us(pid_t group) {
  tell(group);
}
void forget(pid_t group) {
  tell(-group);
}

}  // namespace bench
