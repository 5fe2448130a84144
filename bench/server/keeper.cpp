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

// Far more groups than run at once. A group that does not fit is not cleaned up, as without a
// keeper.
using groups = std::array<pid_t, 64>;

void note(groups& kept, pid_t message) {
  const pid_t old = message > 0 ? 0 : -message;
  const auto place = std::find(kept.begin(), kept.end(), old);
  if (place != kept.end()) *place = std::max(message, 0);
}

// The keeper process. It reads process groups from `messages`: a positive number is kept, a
// negative one forgotten. When echobench is gone, its end of the socket pair is closed and read()
// returns 0; then the keeper kills the kept groups. This code runs after fork() without exec(), so
// it does not allocate.
[[noreturn]] void keep(int messages) {
  setsid();  // Ctrl-C must not end the keeper
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

// The keeper starts with the first server, before it could inherit any other descriptor of ours.
void tell(pid_t message) {
  static const descriptor keeper = start();
  // MSG_NOSIGNAL: if the keeper was killed, echobench must not die of SIGPIPE.
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
