// mutex: lets one fiber at a time into a section of code.
//
//     fibers::mutex door;
//     std::lock_guard inside{door};         // parks the fiber while another is inside
//
// Fibers of one thread are interrupted only at blocking calls. A mutex is for what must stay
// consistent across those. It is fair: unlock() hands it to the fiber that has waited longest. A
// fiber that ends with the mutex locked leaves it locked for ever.
//
// Works with std::lock_guard, std::unique_lock and std::scoped_lock.
#pragma once

#include <fibers/wait_queue.hpp>

#include <cstdint>

namespace fibers {

class mutex {
 public:
  mutex() = default;
  mutex(const mutex&) = delete;
  mutex& operator=(const mutex&) = delete;

  // Waits for the lock. Throws `cancelled`, without the lock, if the fiber is cancelled before it
  // has it. There is one exception: while an exception unwinds the stack, it waits all the same,
  // because a second exception from a destructor would end the program. Throws std::logic_error if
  // the fiber has the lock already.
  void lock();

  // The same, and a cancellation does not end it: for destructors, which must not throw. If the
  // fiber has the lock already, the program prints the mistake and terminates.
  void lock_uncancellable() noexcept;

  // Return whether the fiber has the lock now. try_lock() does not wait; the others wait for at
  // most that long, and throw like lock().
  [[nodiscard]] bool try_lock();
  template <class Rep, class Period>
  [[nodiscard]] bool try_lock_for(const std::chrono::duration<Rep, Period>& duration) {
    return lock_by(deadline_after(duration));
  }
  template <class Clock, class Duration>
  [[nodiscard]] bool try_lock_until(const std::chrono::time_point<Clock, Duration>& moment) {
    return lock_by(deadline_at(moment));
  }

  // Precondition: the running fiber has the lock.
  void unlock() noexcept;

 private:
  friend class condition_variable;
  static constexpr std::uint64_t nobody = 0;

  bool take(const fiber& taker) noexcept;
  bool lock_by(clock::time_point deadline);

  wait_queue waiting_;
  std::uint64_t owner_ = nobody;  // its unique id: the address of a fiber is soon that of another
};

}  // namespace fibers
