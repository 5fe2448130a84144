#include <fibers/wait_queue.hpp>

#include <optional>

namespace fibers {

// These two are never inlined. If they were, the compiler could see that a waiter on the stack is
// linked, but not that it is unlinked before it is destroyed, and might warn.
[[gnu::noinline]] bool wait_queue::wait(waiter& self, clock::time_point deadline) {
  self.tasks_.check_cancelled();
  std::optional<time_limit> limit;  // constructed only if there is a deadline
  if (deadline != never) limit.emplace().at(deadline, self.tasks_.timers());
  line_.push_back(self);
  for (;;) {
    if (limit) {
      limit->park(self.tasks_);
    } else {
      self.tasks_.park();
    }
    if (self.served_) return true;
    self.tasks_.check_cancelled();
    if (limit && limit->passed()) break;
  }
  if (self.is_linked()) self.unlink();  // not linked if the queue was destroyed
  return false;
}

[[gnu::noinline]] void wait_queue::wait_uncancellable(waiter& self) noexcept {
  self.cancellable_ = false;
  line_.push_back(self);
  while (!self.served_) self.tasks_.park_uncancellable();
}

bool wait_queue::empty() noexcept {
  while (!line_.empty() && line_.front().was_cancelled()) line_.pop_front();
  return line_.empty();
}

void wait_queue::serve(waiter& waiting) noexcept {
  waiting.unlink();
  waiting.served_ = true;
  waiting.tasks_.wake(waiting.self_);
}

void wait_queue::serve_all() noexcept {
  while (!empty()) serve(first());
}

}  // namespace fibers
