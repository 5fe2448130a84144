#include <fibers/coroutine.hpp>

#include <cxxabi.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cstring>
#include <iterator>

namespace fibers {

void refuse(const char* mistake) noexcept {
  const auto part = [](const char* text) {
    return iovec{const_cast<char*>(text), std::strlen(text)};
  };
  const iovec parts[] = {part("fibers: "), part(mistake), part("\n")};
  [[maybe_unused]] const auto written = ::writev(STDERR_FILENO, parts, std::size(parts));
  std::terminate();
}

template <bool Address, bool Thread>
void sanitizer::library_has_the_same_sanitizers() noexcept {}
template void
sanitizer::library_has_the_same_sanitizers<sanitizer::address, sanitizer::thread>() noexcept;

[[gnu::noinline]] exception_state& live_exceptions() noexcept {
  // __cxa_get_globals() goes through the dynamic linker for each call, so keep what it returned.
  thread_local constinit exception_state* mine = nullptr;
  if (mine == nullptr) [[unlikely]] {
    mine = reinterpret_cast<exception_state*>(abi::__cxa_get_globals());
  }
  return *mine;
}

void coroutine::leave_for_ever() noexcept {
  auto* to = resumer_;
  if (successor_ != nullptr) {
    successor_->resumer_ = resumer_;
    successor_->live_ = live_;
    to = &successor_->inside_;
  }
  jump(inside_, *to, *live_, true);
  std::terminate();  // nothing jumps to a stack that has ended
}

struct coroutine::visitor {
  context outside;
  context* inside;
  void (*look)(void* argument);
  void* argument;
};

// When the coroutine is resumed later, the last jump here returns, and its value becomes the result
// of the jump that suspended the coroutine.
boost::context::detail::transfer_t coroutine::receive_visitor(
    boost::context::detail::transfer_t from) noexcept {
  auto& guest = *static_cast<visitor*>(from.data);
  auto& inside = *guest.inside;
  inside.tracker.after_switch_from(guest.outside.tracker);
  guest.look(guest.argument);
  inside.tracker.before_switch_to(guest.outside.tracker, false);
  return boost::context::detail::jump_fcontext(from.fctx, nullptr);
}

void coroutine::visit(void (*look)(void* argument), void* argument) noexcept {
  if (progress_ != progress::started || running()) return;
  visitor guest{{}, &inside_, look, argument};
  guest.outside.tracker.before_switch_to(inside_.tracker, false);
  const auto left =
      boost::context::detail::ontop_fcontext(inside_.stack_pointer, &guest, &receive_visitor);
  inside_.stack_pointer = left.fctx;
  guest.outside.tracker.after_switch_from(inside_.tracker);
}

void coroutine::unwind() noexcept {
  if (running()) refuse("a coroutine was destroyed while it runs");
  unwinding_ = true;
  while (!done()) {
    try {
      resume();
    } catch (...) {  // a destructor has no caller to report errors to
    }
  }
}

}  // namespace fibers
