#include <fibers/wait_queue.hpp>

#include <cassert>
#include <stdexcept>

namespace fibers {

bool task_queue::join_until(fiber& other, clock::time_point deadline) {
  assert(&other != current_);
  if (other.state_ == fiber::state::finished) return true;
  if (current_ == nullptr) throw std::logic_error{"only a fiber can wait for another"};
  time_limit limit;
  limit.at(deadline, timers());
  fiber::joiner self{*current_};
  enlist(self, other);
  while (!self.ended) {
    check_cancelled();
    if (limit.passed()) return false;
    limit.park(*this);
  }
  return true;
}

bool task_queue::join_for(fiber& other, clock::duration duration) {
  return join_until(other, deadline_after(duration));
}

// These two are never inlined: the compiler could then see that a waiter on the stack is linked,
// but not that it is out of the line again before it dies.
[[gnu::noinline]] bool wait_queue::wait(waiter& self, clock::time_point deadline) {
  self.tasks_.check_cancelled();
  time_limit limit;
  const bool timed = deadline != never;
  if (timed) limit.at(deadline, self.tasks_.timers());
  line_.push_back(self);
  for (;;) {
    if (timed) {
      limit.park(self.tasks_);
    } else {
      self.tasks_.park();
    }
    if (self.served_) return true;
    self.tasks_.check_cancelled();
    if (limit.passed()) break;
  }
  if (self.is_linked()) self.unlink();  // the queue may have died
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
