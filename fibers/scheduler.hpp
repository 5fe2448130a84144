// scheduler: task queue + timers + reactor = one loop on one screen.
//
//     fibers::scheduler scheduler;
//     scheduler.spawn("listener", [&] { ... });
//     scheduler.run();                                // returns when no fiber is left
//
// One thread constructs, runs and destroys a scheduler. Fibers never change threads, so errno and
// thread_local keep their meaning, and nothing here takes a lock.
//
// A child process of fork() may close sockets, destroy the scheduler and make one of its own, and
// never disturbs its parent by that. run() and every call that blocks throw std::logic_error there,
// and a listener or a stream cannot be opened (EPERM).
//
// Blocking calls (in tcp, in this_fiber) park the calling fiber and let the others run. If a fiber
// is cancelled, the call in which it blocks throws `cancelled`. Do not swallow that exception.
// error.hpp says how calls fail.
#pragma once

#include <fibers/blocking.hpp>
#include <fibers/fiber_handle.hpp>
#include <fibers/gather.hpp>
#include <fibers/post_queue.hpp>
#include <fibers/this_fiber.hpp>  // for programs that include this file alone

#include <chrono>
#include <concepts>
#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

namespace fibers {

struct scheduler_options {
  io backend = io::automatic;
  std::size_t stack_size = default_stack_size;

  // How long the loop polls before it goes to sleep; zero: it does not. An event that comes
  // meanwhile is served sooner, by the time of a wake-up. The polling costs a whole processor.
  clock::duration spin = clock::duration::zero();

  // Whether the loop, where it sleeps, sleeps until several messages are there; see gather.hpp.
  fibers::gather gather = fibers::gather::automatic;
};

class scheduler {
 public:
  // Throws boost::system::system_error, with the reason, if the backend does not work here.
  explicit scheduler(io backend) : scheduler{scheduler_options{backend}} {}
  scheduler() : scheduler{io::automatic} {}
  explicit scheduler(const scheduler_options& options);
  // On a reactor of the program's own, instead of options.backend. Precondition: `own` is not null.
  explicit scheduler(std::unique_ptr<reactor> own, const scheduler_options& options = {});
  scheduler(const scheduler&) = delete;
  scheduler& operator=(const scheduler&) = delete;

  // Cancels the remaining fibers and waits until they have unwound. Precondition: the caller is not
  // one of them.
  ~scheduler();

  // Runs `body`, any move-only callable, as a fiber. Listings and the report of a stack overflow
  // print the name. If the handle is dropped, the fiber runs on by itself, and an exception that
  // leaves it comes out of run(), which may be called again.
  template <std::invocable Body>
  auto spawn(std::string_view name, Body&& body) {
    return tasks_.spawn(name, std::forward<Body>(body));
  }
  template <std::invocable Body>
  auto spawn(Body&& body) {
    return tasks_.spawn("anonymous", std::forward<Body>(body));
  }

  // Returns when no fiber is left. With io_uring, bytes that the fibers sent may still be here.
  // Then it returns when they have been sent, or when no send has completed for one second. Throws
  // std::logic_error if one of its own fibers or another thread calls it, and
  // boost::system::system_error if the loop cannot wait any more, such as when other code has
  // closed its descriptors. (With io_uring the loop may go on, but then it does not hear of posts.)
  void run();

  // Cancels every fiber. run() returns when they have unwound. Any thread may call it: on the
  // scheduler's own thread the fibers are cancelled when it returns, from another thread as soon as
  // the loop runs what was posted, and then it throws what post() throws.
  void stop();

  // Runs `function` soon, on this scheduler's thread and on the stack of the loop: it may spawn and
  // wake fibers, but not block. Any thread may call it, as stop(), and no other member; the
  // scheduler must outlive the call. The functions of one thread run in the order in which they
  // were posted. A scheduler that expects posts needs a fiber that waits, since run() returns
  // without one. If the loop does not run, the next run() runs the function before anything else,
  // or the destructor drops it. Throws std::bad_alloc.
  template <std::invocable Function>
  void post(Function&& function) {
    if (posts_.push(std::forward<Function>(function))) blocking_.reactor().interrupt();
  }

  // The backend in use. It is never io::automatic, unless a reactor of the program's own says so.
  io backend() const noexcept { return blocking_.reactor().backend(); }

  task_queue& tasks() noexcept { return tasks_; }
  // The deadlines of its fibers. A time_limit is armed in tasks().timers().
  const timer_queue& timers() const noexcept { return timers_; }

  // For code that builds a blocking call: see blocking.hpp.
  blocking_io& blocking() noexcept { return blocking_; }

  // The calling thread's scheduler: the one that is running, else the last constructed one that
  // still exists. Throws std::logic_error if there is none.
  static scheduler& current();

 private:
  friend class runtime;
  friend class socket;

  void look_around();
  void look_further(std::size_t ready);
  bool spin(clock::time_point deadline);
  void run_once();
  bool drain();
  void unwind() noexcept;
  clock::time_point next_deadline() const noexcept;

  blocking_io blocking_;
  timer_queue timers_;
  task_queue tasks_;
  scheduler* older_;  // constructed before this one, on the same thread
  clock::duration spin_;
  post_queue posts_;
};

}  // namespace fibers
