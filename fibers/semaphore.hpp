// semaphore: lets a limited number of fibers at a time into a section of code.
//
//     fibers::semaphore connections{10};
//     connections.acquire();                // parks the fiber while ten others are connected
//     ...
//     connections.release();
//
// A counting semaphore, and a fair one: release() hands permits to the fibers that have waited
// longest.
#pragma once

#include <fibers/wait_queue.hpp>

#include <cstddef>

namespace fibers {

class semaphore {
 public:
  explicit semaphore(std::size_t permits) : permits_{permits} {}
  semaphore(const semaphore&) = delete;
  semaphore& operator=(const semaphore&) = delete;

  // Waits for a permit. Throws `cancelled`, without a permit, if the fiber is cancelled before it
  // has one.
  void acquire() { acquire_by(never); }

  // Return whether the caller has a permit now. try_acquire() does not wait; the others wait for at
  // most that long, and throw `cancelled` like acquire().
  [[nodiscard]] bool try_acquire() noexcept;
  template <class Rep, class Period>
  [[nodiscard]] bool try_acquire_for(const std::chrono::duration<Rep, Period>& duration) {
    return acquire_by(deadline_after(duration));
  }
  template <class Clock, class Duration>
  [[nodiscard]] bool try_acquire_until(const std::chrono::time_point<Clock, Duration>& moment) {
    return acquire_by(deadline_at(moment));
  }

  // Returns permits, or adds new ones. The caller need not be a fiber.
  void release(std::size_t permits = 1) noexcept;

  // How many permits can be acquired without waiting.
  std::size_t available() const noexcept { return permits_; }

 private:
  bool acquire_by(clock::time_point deadline);

  wait_queue waiting_;  // empty while there are permits
  std::size_t permits_;
};

}  // namespace fibers
