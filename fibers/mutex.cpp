#include <fibers/mutex.hpp>

#include <cassert>
#include <exception>
#include <stdexcept>

namespace fibers {

void mutex::lock() {
  const auto& self = *task_queue::running().current();
  if (!self.cancel_requested() && take(self)) return;
  if (std::uncaught_exceptions() > 0) return lock_uncancellable();
  lock_by(never);
}

bool mutex::try_lock() {
  return take(*task_queue::running().current());
}

bool mutex::take(const fiber& taker) noexcept {
  if (owner_ != nobody) return false;
  owner_ = taker.unique_id();
  return true;
}

bool mutex::lock_by(clock::time_point deadline) {
  task_queue::running().check_cancelled();
  if (try_lock()) return true;
  wait_queue::waiter self;
  if (owner_ == self.self().unique_id()) throw std::logic_error{"a fiber locks a mutex twice"};
  assert((deadline != never || task_queue::running().may_be_alive(owner_)) &&
         "a fiber ended with the mutex locked");
  return waiting_.wait(self, deadline);
}

void mutex::lock_uncancellable() noexcept {
  wait_queue::waiter self;
  if (take(self.self())) return;
  if (owner_ == self.self().unique_id()) refuse("a fiber locks a mutex twice");
  assert(task_queue::running().may_be_alive(owner_) && "a fiber ended with the mutex locked");
  waiting_.wait_uncancellable(self);
}

void mutex::unlock() noexcept {
  assert(owner_ == task_queue::running().current()->unique_id());
  owner_ = nobody;
  if (waiting_.empty()) return;
  owner_ = waiting_.first().self().unique_id();
  waiting_.serve(waiting_.first());
}

}  // namespace fibers
