#include <fibers/error.hpp>

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <functional>
#include <new>

#include <tests/fibers/random_programs/search.hpp>
#include <tests/fibers/random_programs/trial.hpp>

namespace random_programs {
namespace {

// After that a program counts as one that never ends.
constexpr unsigned longest_seconds = 20;

// What a child process tells its parent.
struct message {
  std::uint64_t seed = 0;
  char wrong[1000] = "";
};

class shared_message {
 public:
  shared_message() {
    auto* memory =
        ::mmap(nullptr, sizeof(message), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) fibers::throw_error(errno, "mmap");
    shared_ = new (memory) message;
  }
  shared_message(const shared_message&) = delete;
  shared_message& operator=(const shared_message&) = delete;
  ~shared_message() { ::munmap(shared_, sizeof(message)); }

  message* operator->() const noexcept { return shared_; }

 private:
  message* shared_;
};

// Runs `work` in a child process. Returns how that ended, in words; nothing if it returned.
std::optional<std::string> ending_of_child(const std::function<void()>& work) {
  std::fflush(nullptr);
  const auto child = ::fork();
  if (child < 0) fibers::throw_error(errno, "fork");
  if (child == 0) {
    for (const int each : {SIGABRT, SIGSEGV, SIGALRM}) ::signal(each, SIG_DFL);
    work();
    ::_exit(0);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return std::nullopt;
  if (!WIFSIGNALED(status)) return "it exits with " + std::to_string(WEXITSTATUS(status));
  if (WTERMSIG(status) == SIGALRM) return "it never ends";
  return std::string{"it ends by: "} + ::strsignal(WTERMSIG(status));
}

// True: all is well.
bool try_out(const program& tried, std::optional<fibers::io> backend, shared_message& told) {
  ::alarm(longest_seconds);
  const auto seen = try_out(tried, backend);
  ::alarm(0);
  if (seen.wrong.empty()) return true;
  std::string all;
  for (const auto& each : seen.wrong) all += each + "\n";
  all.resize(std::min(all.size(), sizeof told->wrong - 1));
  std::ranges::copy(all, told->wrong);
  return false;
}

}  // namespace

std::optional<std::string> fault_of(const program& tried, std::optional<fibers::io> backend) {
  shared_message told;
  const auto ended = ending_of_child([&] { try_out(tried, backend, told); });
  if (told->wrong[0] != '\0') return told->wrong;
  return ended;
}

std::optional<std::uint64_t> first_failing(std::uint64_t first, std::uint64_t count,
                                           std::optional<fibers::io> backend) {
  shared_message told;
  const auto ended = ending_of_child([&] {
    for (auto seed = first; seed != first + count; ++seed) {
      told->seed = seed;
      if (!try_out(random_program(seed), backend, told)) ::_exit(1);
    }
  });
  if (!ended) return std::nullopt;
  return told->seed;
}

namespace {

class shortening {
 public:
  shortening(program failing, std::optional<fibers::io> backend)
      : best_{std::move(failing)}, backend_{backend} {}

  program run() {
    for (bool shorter = true; shorter && tries_ > 0;) {
      shorter = false;
      for (std::size_t fiber = best_.fibers.size(); fiber-- > 0;) {
        shorter |= leave_out(fiber, 0, best_.fibers[fiber].size());
      }
      for (std::size_t fiber = 0; fiber < best_.fibers.size(); ++fiber) {
        for (std::size_t at = best_.fibers[fiber].size(); at-- > 0;) {
          shorter |= leave_out(fiber, at, 1) || lower(fiber, at);
        }
      }
      shorter |= without_faults();
    }
    while (!best_.fibers.empty() && best_.fibers.back().empty()) best_.fibers.pop_back();
    return best_;
  }

 private:
  // Takes the program if it still fails. One of a real reactor may fail only now and then.
  bool keep_if_failing(const program& candidate) {
    for (int left = backend_ ? 5 : 1; left > 0 && tries_ > 0; --left, --tries_) {
      if (!fault_of(candidate, backend_)) continue;
      best_ = candidate;
      return true;
    }
    return false;
  }
  bool leave_out(std::size_t fiber, std::size_t first, std::size_t count) {
    if (count == 0) return false;
    auto candidate = best_;
    auto& actions = candidate.fibers[fiber];
    const auto begin = actions.begin() + static_cast<std::ptrdiff_t>(first);
    actions.erase(begin, begin + static_cast<std::ptrdiff_t>(count));
    return keep_if_failing(candidate);
  }
  bool lower(std::size_t fiber, std::size_t at) {
    const int amount = best_.fibers[fiber][at].amount;
    for (const int lower : {0, 1, amount / 2}) {
      if (lower >= amount) break;
      auto candidate = best_;
      candidate.fibers[fiber][at].amount = lower;
      if (keep_if_failing(candidate)) return true;
    }
    return false;
  }
  bool without_faults() {
    bool any = false;
    for (const auto fault : {&program::short_counts, &program::delays, &program::resets}) {
      auto candidate = best_;
      if (std::exchange(candidate.*fault, 0) != 0) any |= keep_if_failing(candidate);
    }
    return any;
  }

  program best_;
  std::optional<fibers::io> backend_;
  int tries_ = 3000;
};

}  // namespace

program shortened(program failing, std::optional<fibers::io> backend) {
  return shortening{std::move(failing), backend}.run();
}

}  // namespace random_programs
