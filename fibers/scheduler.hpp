// scheduler: task queue + timers + reactor = one loop on one screen.
//
//     fibers::scheduler scheduler;
//     scheduler.spawn("listener", [&] { ... });
//     scheduler.run();                                // returns when no fiber is left
//
// One thread runs one scheduler, from its construction to its end, and fibers never change
// threads: errno and thread_local keep their meaning, and nothing here takes a lock.
//
// Blocking calls (in tcp, in this_fiber) park the calling fiber and let the others run. A fiber
// that is cancelled leaves the call it blocks in by the exception `cancelled`; do not swallow it.
#pragma once

#include <fibers/blocking.hpp>
#include <fibers/fiber_handle.hpp>
#include <fibers/post_queue.hpp>
#include <fibers/this_fiber.hpp>  // for programs that include this file alone

#include <chrono>
#include <concepts>
#include <cstddef>
#include <string_view>
#include <utility>

namespace fibers {

struct scheduler_options {
  io backend = io::automatic;
  std::size_t stack_size = default_stack_size;

  // Before it goes to sleep the loop looks that long whether something comes. What comes then is
  // served sooner by the time it takes to wake up; the looking costs a whole processor.
  clock::duration spin = clock::duration::zero();
};

class scheduler {
 public:
  // Throws std::system_error when the backend asked for does not work here; its text says why.
  scheduler(io backend = io::automatic) : scheduler{scheduler_options{backend}} {}
  explicit scheduler(const scheduler_options& options);
  scheduler(const scheduler&) = delete;
  scheduler& operator=(const scheduler&) = delete;

  // Cancels the fibers that are left and waits until they have unwound. Not to be called by one of
  // them.
  ~scheduler();

  // Runs `body`, any move-only callable, as a fiber. The name shows up in listings and when its
  // stack overflows. Dropping the handle lets the fiber run on alone; then an exception that leaves
  // it comes out of run(), which may be called again.
  template <std::invocable Body>
  auto spawn(std::string_view name, Body&& body) {
    return tasks_.spawn(name, std::forward<Body>(body));
  }
  template <std::invocable Body>
  auto spawn(Body&& body) {
    return tasks_.spawn("anonymous", std::forward<Body>(body));
  }

  // Returns when no fiber is left. With io_uring something that they sent may still be here: then
  // it returns when that has left, or none of it has left for a second. Throws std::logic_error
  // when one of its own fibers calls it.
  void run();

  // Cancels every fiber there is; run() returns when they have unwound.
  void stop() noexcept { tasks_.cancel_all(); }

  // Runs `function` on this scheduler's thread, soon, on the stack of the loop: it may spawn fibers
  // and wake them, but not block. The one member that any thread may call; the scheduler must
  // outlive the call. Functions of one thread run in the order they were posted. Waiting for posts
  // keeps no loop alive: let a fiber wait. What is posted to a loop that does not run is run by the
  // next run(), before anything else, or dropped by the destructor. Throws std::bad_alloc.
  template <std::invocable Function>
  void post(Function&& function) {
    if (posts_.push(std::forward<Function>(function))) blocking_.reactor().interrupt();
  }

  // Which of them `automatic` became.
  io backend() const noexcept { return blocking_.reactor().backend(); }

  task_queue& tasks() noexcept { return tasks_; }
  timer_queue& timers() noexcept { return timers_; }

  // For whoever builds a call that blocks: see blocking.hpp.
  blocking_io& blocking() noexcept { return blocking_; }

  // The one of the calling thread: the one that runs, else the last constructed that is still
  // there. Throws std::logic_error where there is none.
  static scheduler& current();

 private:
  friend class runtime;

  void look_around();
  bool spin(clock::time_point deadline);
  void run_once();
  bool drain();
  void unwind() noexcept;
  clock::time_point next_deadline() const noexcept;

  blocking_io blocking_;
  timer_queue timers_;
  task_queue tasks_;
  scheduler* older_;  // the one constructed before, on this thread
  clock::duration spin_;
  post_queue posts_;
};

}  // namespace fibers
