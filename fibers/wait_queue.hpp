// wait_queue: fibers in line for the same thing, first come, first served.
//
//     wait_queue waiting;
//     wait_queue::waiter self;  waiting.wait(self);       // one fiber
//     waiting.serve(waiting.first());                     // another, when there is something
//
// What mutex, condition_variable, semaphore, channel, wait_group and nursery have in common: how
// fibers wait for each other. A waiter stands on its fiber's own stack, so waiting takes no memory.
//
// To serve a fiber is to hand it what it waits for, there and then: the lock, the permit, the item.
// Nobody can overtake it before it runs. Which came first decides: a fiber that was cancelled
// before is passed over; one that is cancelled between being served and running has been served,
// returns, and meets its cancellation at its next blocking call. So nothing is lost between two
// fibers.
#pragma once

#include <fibers/deadline.hpp>

#include <boost/intrusive/list.hpp>

namespace fibers {

// A queue that dies leaves those who wait in it parked, until they are cancelled.
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

  // Whether there is nobody to serve.
  bool empty() noexcept;
  // Precondition: not empty().
  waiter& first() noexcept { return line_.front(); }

  // Parks the running fiber at the end of the line until it is served. False: the deadline came
  // first. Throws `cancelled` when that comes first, or was asked before. A deadline other than
  // `never` needs a queue with timers.
  bool wait(waiter& self, clock::time_point deadline = never);

  // The same for whoever may not leave before it is served, even when it is cancelled.
  void wait_uncancellable(waiter& self) noexcept;

  // Takes a waiter out of the line and wakes its fiber.
  void serve(waiter& waiting) noexcept;
  void serve_all() noexcept;

 private:
  boost::intrusive::list<waiter, boost::intrusive::constant_time_size<false>> line_;
};

}  // namespace fibers
