#include <fibers/print_fibers.hpp>

#include <execinfo.h>

#include <array>

namespace fibers {
namespace {

// Those that have ended are not listed.
const char* name_of(fiber::state state) noexcept {
  return state == fiber::state::ready     ? "ready"
         : state == fiber::state::running ? "running"
                                          : "parked";
}

// Stores addresses only, because the stack that is visited may have little room.
struct backtrace_there {
  std::array<void*, 64> frames;
  int count = 0;

  static void take(void* self) {
    auto& there = *static_cast<backtrace_there*>(self);
    there.count = ::backtrace(there.frames.data(), static_cast<int>(there.frames.size()));
  }
};

// The first two frames belong to the visit itself.
void print_backtrace(const backtrace_there& there, std::FILE* to) {
  constexpr int visiting = 2;
  if (there.count <= visiting) return;
  std::fflush(to);
  ::backtrace_symbols_fd(there.frames.data() + visiting, there.count - visiting, ::fileno(to));
}

}  // namespace

void print_fibers(task_queue& tasks, std::FILE* to) {
  tasks.for_each([to](fiber& each) {
    std::fprintf(to, "fiber %llu, %s, \"%.*s\"\n", static_cast<unsigned long long>(each.id()),
                 name_of(each.status()), static_cast<int>(each.name().size()), each.name().data());
    if (each.status() == fiber::state::running) return;
    backtrace_there there;
    each.visit(&backtrace_there::take, &there);
    print_backtrace(there, to);
  });
}

}  // namespace fibers
