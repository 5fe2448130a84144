#include <fibers/condition_variable.hpp>

#include <cassert>
#include <thread>

namespace fibers {

std::cv_status condition_variable::wait_by(std::unique_lock<mutex>& lock,
                                           clock::time_point deadline) {
  wait_queue::waiter self;
  return park(lock, self, deadline);
}

std::cv_status condition_variable::wait_by(std::unique_lock<mutex>& lock,
                                           const std::stop_token& stop,
                                           clock::time_point deadline) {
  wait_queue::waiter self;
  const auto thread = std::this_thread::get_id();
  const std::stop_callback stopped{
      stop, [&] {
        if (std::this_thread::get_id() != thread)
          refuse("a stop that a condition_variable waits for was requested on another thread");
        if (self.is_linked() && !self.self().cancel_requested()) waiting_.serve(self);
      }};
  return park(lock, self, deadline);
}

std::cv_status condition_variable::park(std::unique_lock<mutex>& lock, wait_queue::waiter& self,
                                        clock::time_point deadline) {
  assert(lock.owns_lock());
  struct unlocked {
    mutex& door;
    explicit unlocked(mutex& opened) : door{opened} { door.unlock(); }
    ~unlocked() { door.lock_uncancellable(); }
  } meanwhile{*lock.mutex()};
  return waiting_.wait(self, deadline) ? cv_status::no_timeout : cv_status::timeout;
}

}  // namespace fibers
