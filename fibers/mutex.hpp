// mutex: one fiber at a time.
//
//     fibers::mutex door;
//     std::lock_guard inside{door};         // parks the fiber while another is inside
//
// Fibers of one thread cannot run into each other between two blocking calls: a mutex is for what
// must stay whole across them. It is fair: unlock() hands it to the fiber that has waited longest.
//
// Works with std::lock_guard, std::unique_lock and std::scoped_lock.
#pragma once

#include <fibers/wait_queue.hpp>

namespace fibers {

class mutex {
 public:
  mutex() = default;
  mutex(const mutex&) = delete;
  mutex& operator=(const mutex&) = delete;

  // Throws `cancelled`, without the lock, when that is asked of the fiber before it gets it. Only
  // in a destructor that runs because of an exception it waits all the same: another exception
  // there would end the program. Precondition: the fiber does not have the lock.
  void lock();

  // The same without an end before it has the lock: for destructors whose scope may end normally.
  void lock_uncancellable() noexcept;

  // Whether the fiber has the lock now. Do not wait; wait at most that long.
  bool try_lock();
  bool try_lock_for(clock::duration duration) { return try_lock_until(deadline_after(duration)); }
  bool try_lock_until(clock::time_point deadline);

  // Precondition: the running fiber has the lock.
  void unlock() noexcept;

 private:
  friend class condition_variable;
  bool take(const fiber& taker) noexcept;

  wait_queue waiting_;
  const fiber* owner_ = nullptr;
};

}  // namespace fibers
