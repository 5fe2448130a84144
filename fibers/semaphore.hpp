// semaphore: so many fibers at a time.
//
//     fibers::semaphore connections{10};
//     connections.acquire();                // parks the fiber while ten others are connected
//     ...
//     connections.release();
//
// A counting semaphore, and a fair one: release() hands permits to those who have waited longest.
#pragma once

#include <fibers/wait_queue.hpp>

#include <cstddef>

namespace fibers {

class semaphore {
 public:
  explicit semaphore(std::size_t permits) : permits_{permits} {}
  semaphore(const semaphore&) = delete;
  semaphore& operator=(const semaphore&) = delete;

  // Throws `cancelled`, without a permit, when that is asked of the fiber before it gets one.
  void acquire() { try_acquire_until(never); }

  // Whether the caller has a permit now. Do not wait; wait at most that long.
  bool try_acquire() noexcept;
  bool try_acquire_for(clock::duration duration) {
    return try_acquire_until(deadline_after(duration));
  }
  bool try_acquire_until(clock::time_point deadline);

  // Gives permits back, or new ones. Needs no fiber.
  void release(std::size_t permits = 1) noexcept;

  // How many could be acquired without waiting.
  std::size_t available() const noexcept { return permits_; }

 private:
  wait_queue waiting_;  // empty while there are permits
  std::size_t permits_;
};

}  // namespace fibers
