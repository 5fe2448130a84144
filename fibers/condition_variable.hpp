// condition_variable: wait until another fiber reports a change.
//
//     std::unique_lock lock{door};
//     arrived.wait(lock, [&] { return !guests.empty(); });    // without the lock while it waits
//     ...
//     guests.push_back(name);
//     arrived.notify_one();
//
// Works as in the standard library, with a fibers::mutex. The fiber that has waited longest is
// notified first, and there are no spurious wake-ups. However a wait ends, the fiber has the lock
// again.
#pragma once

#include <fibers/mutex.hpp>

#include <condition_variable>
#include <mutex>
#include <stop_token>

namespace fibers {

class condition_variable {
 public:
  using cv_status = std::cv_status;

  condition_variable() = default;
  condition_variable(const condition_variable&) = delete;
  condition_variable& operator=(const condition_variable&) = delete;

  void notify_one() noexcept {
    if (!waiting_.empty()) waiting_.serve(waiting_.first());
  }
  void notify_all() noexcept { waiting_.serve_all(); }

  // Releases the lock and waits for a notification. Throws `cancelled`, with the lock, if the fiber
  // is cancelled before it is notified. Precondition: the running fiber has the lock.
  void wait(std::unique_lock<mutex>& lock) { wait_by(lock, never); }
  template <class Rep, class Period>
  cv_status wait_for(std::unique_lock<mutex>& lock,
                     const std::chrono::duration<Rep, Period>& duration) {
    return wait_by(lock, deadline_after(duration));
  }
  template <class Clock, class Duration>
  cv_status wait_until(std::unique_lock<mutex>& lock,
                       const std::chrono::time_point<Clock, Duration>& moment) {
    return wait_by(lock, deadline_at(moment));
  }

  // The same until `happened()` is true. False: it is not, and the deadline has passed.
  template <class Predicate>
  void wait(std::unique_lock<mutex>& lock, Predicate happened) {
    wait_by(lock, never, happened);
  }
  template <class Rep, class Period, class Predicate>
  bool wait_for(std::unique_lock<mutex>& lock, const std::chrono::duration<Rep, Period>& duration,
                Predicate happened) {
    return wait_by(lock, deadline_after(duration), happened);
  }
  template <class Clock, class Duration, class Predicate>
  bool wait_until(std::unique_lock<mutex>& lock,
                  const std::chrono::time_point<Clock, Duration>& moment, Predicate happened) {
    return wait_by(lock, deadline_at(moment), happened);
  }

  // The same until `happened()` is true or a stop is requested, as std::condition_variable_any has
  // them. Return `happened()`. The stop must be requested on this thread: another one does so by
  // scheduler::post(), or the program prints the mistake and terminates.
  template <class Predicate>
  bool wait(std::unique_lock<mutex>& lock, const std::stop_token& stop, Predicate happened) {
    return wait_by(lock, stop, never, happened);
  }
  template <class Rep, class Period, class Predicate>
  bool wait_for(std::unique_lock<mutex>& lock, const std::stop_token& stop,
                const std::chrono::duration<Rep, Period>& duration, Predicate happened) {
    return wait_by(lock, stop, deadline_after(duration), happened);
  }
  template <class Clock, class Duration, class Predicate>
  bool wait_until(std::unique_lock<mutex>& lock, const std::stop_token& stop,
                  const std::chrono::time_point<Clock, Duration>& moment, Predicate happened) {
    return wait_by(lock, stop, deadline_at(moment), happened);
  }

 private:
  cv_status wait_by(std::unique_lock<mutex>& lock, clock::time_point deadline);
  cv_status wait_by(std::unique_lock<mutex>& lock, const std::stop_token& stop,
                    clock::time_point deadline);
  cv_status park(std::unique_lock<mutex>& lock, wait_queue::waiter& self,
                 clock::time_point deadline);
  template <class Predicate>
  bool wait_by(std::unique_lock<mutex>& lock, clock::time_point deadline, Predicate& happened) {
    while (!happened()) {
      if (wait_by(lock, deadline) == cv_status::timeout) return happened();
    }
    return true;
  }
  template <class Predicate>
  bool wait_by(std::unique_lock<mutex>& lock, const std::stop_token& stop,
               clock::time_point deadline, Predicate& happened) {
    while (!happened()) {
      if (stop.stop_requested()) return false;
      if (wait_by(lock, stop, deadline) == cv_status::timeout) return happened();
    }
    return true;
  }

  wait_queue waiting_;
};

}  // namespace fibers
