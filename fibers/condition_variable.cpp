#include <fibers/condition_variable.hpp>

#include <cassert>

namespace fibers {

std::cv_status condition_variable::wait_by(std::unique_lock<mutex>& lock,
                                           clock::time_point deadline) {
  assert(lock.owns_lock());
  wait_queue::waiter self;
  struct unlocked {
    mutex& door;
    explicit unlocked(mutex& opened) : door{opened} { door.unlock(); }
    ~unlocked() { door.lock_uncancellable(); }
  } meanwhile{*lock.mutex()};
  return waiting_.wait(self, deadline) ? cv_status::no_timeout : cv_status::timeout;
}

}  // namespace fibers
