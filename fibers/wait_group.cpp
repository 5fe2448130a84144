#include <fibers/wait_group.hpp>

#include <cassert>

namespace fibers {

void wait_group::done() noexcept {
  assert(expected_ > 0 && "done() without add()");
  if (--expected_ == 0) waiting_.serve_all();
}

bool wait_group::wait_by(clock::time_point deadline) {
  task_queue::running().check_cancelled();
  if (expected_ == 0) return true;
  wait_queue::waiter self;
  return waiting_.wait(self, deadline);
}

}  // namespace fibers
