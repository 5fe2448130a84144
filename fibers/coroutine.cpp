#include <fibers/coroutine.hpp>

#include <cxxabi.h>

namespace fibers {

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

coroutine::~coroutine() {
  unwinding_ = true;
  while (!done()) {
    try {
      resume();
    } catch (...) {  // whoever drops a coroutine is not there to hear of its errors
    }
  }
  inside_.tracker.destroyed();
}

}  // namespace fibers
