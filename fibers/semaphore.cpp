#include <fibers/semaphore.hpp>

namespace fibers {

bool semaphore::try_acquire() noexcept {
  if (permits_ == 0) return false;
  --permits_;
  return true;
}

bool semaphore::acquire_by(clock::time_point deadline) {
  task_queue::running().check_cancelled();
  if (try_acquire()) return true;
  wait_queue::waiter self;
  return waiting_.wait(self, deadline);
}

void semaphore::release(std::size_t permits) noexcept {
  for (; permits > 0 && !waiting_.empty(); --permits) waiting_.serve(waiting_.first());
  permits_ += permits;
}

}  // namespace fibers
