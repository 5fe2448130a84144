// wait_queue: fibers in line for the same thing, first come, first served.
//
//     wait_queue waiting;
//     wait_queue::waiter self;  waiting.wait(self);       // one fiber
//     waiting.serve(waiting.first());                     // another, when there is something
//
// mutex, condition_variable, semaphore, channel, wait_group and nursery are built on it. A waiter
// lies on the stack of its fiber and is linked into an intrusive list, so waiting allocates no
// memory.
//
// To serve a fiber is to hand over what it waits for at once: the lock, the permit, the item. So no
// other fiber can take it before the served one runs. A fiber that was cancelled before it is
// served is passed over. A fiber that is cancelled after it was served, but before it runs, returns
// from wait(), and its next blocking call throws `cancelled`. So nothing is lost between two
// fibers.
#pragma once

#include <fibers/time/deadline.hpp>

#include <boost/intrusive/list.hpp>

namespace fibers {

// If a queue is destroyed, the fibers that wait in it stay parked until they are cancelled or
// their deadline passes.
class wait_queue {
 public:
  class waiter : public boost::intrusive::list_base_hook<
                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
   public:
    waiter() : tasks_{task_queue::running()}, self_{*tasks_.current()} {}
    waiter(const waiter&) = delete;
    waiter& operator=(const waiter&) = delete;

    const fiber& self() const noexcept { return self_; }

   private:
    friend class wait_queue;

    bool was_cancelled() const noexcept { return cancellable_ && self_.cancel_requested(); }

    task_queue& tasks_;
    fiber& self_;
    bool cancellable_ = true;
    bool served_ = false;
  };

  // Whether there is no fiber to serve. Removes waiters from the front that were cancelled.
  bool empty() noexcept;
  // Precondition: not empty().
  waiter& first() noexcept { return line_.front(); }

  // Parks the running fiber at the end of the line until it is served. False: the deadline passed
  // first. Throws `cancelled` if the fiber is cancelled before it is served. A deadline other than
  // `never` needs a task_queue with timers; without them this throws std::logic_error.
  bool wait(waiter& self, clock::time_point deadline = never);

  // The same without a deadline; a cancellation does not end it.
  void wait_uncancellable(waiter& self) noexcept;

  // Takes a waiter out of the line and wakes its fiber.
  void serve(waiter& waiting) noexcept;
  void serve_all() noexcept;

 private:
  boost::intrusive::list<waiter, boost::intrusive::constant_time_size<false>> line_;
};

}  // namespace fibers
