#include <fibers/coroutine.hpp>

#include <cxxabi.h>

namespace fibers {

template <bool Address, bool Thread>
void sanitizer::library_has_the_same_sanitizers() noexcept {}
template void
sanitizer::library_has_the_same_sanitizers<sanitizer::address, sanitizer::thread>() noexcept;

[[gnu::noinline]] exception_state& live_exceptions() noexcept {
  // The runtime's own lookup goes through the dynamic linker; remember what it found.
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
  std::terminate();  // nobody jumps to a stack that has ended
}

void coroutine::unwind() noexcept {
  unwinding_ = true;
  while (!done()) {
    try {
      resume();
    } catch (...) {  // whoever drops a coroutine is not there to hear of its errors
    }
  }
}

}  // namespace fibers
