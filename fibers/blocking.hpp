// blocking: for code that builds a call which blocks its fiber and not its thread.
//
//     blocking_operation receive{operation::kind::receive, descriptor};
//     receive.buffer(data, size);
//     scheduler.blocking().perform(receive, &limit);
//     receive.result()                    // bytes, or receive.error()
//
// Programs do not need this. They call this_fiber, tcp and local, which are built on it. Calls that
// wait for other fibers, and not for I/O, are built on wait_queue. Both take a deadline from a
// time_limit.
#pragma once

#include <fibers/reactor.hpp>
#include <fibers/time/deadline.hpp>

#include <cstddef>
#include <memory>
#include <thread>

namespace fibers {

// An operation and the fiber that waits for it.
class blocking_operation : public operation {
 public:
  using operation::operation;

 private:
  friend class blocking_io;
  friend class stream_socket;

  // After a wait: whether the socket was closed or destroyed meanwhile, and its limit with it.
  bool limit_is_gone() const noexcept { return waiter_.limit == nullptr; }

  time_limit::sleeper waiter_;
};

// The operations of a scheduler's fibers, and the reactor that carries them out.
class blocking_io {
 public:
  blocking_io(const blocking_io&) = delete;
  blocking_io& operator=(const blocking_io&) = delete;
  ~blocking_io();

  // Submits the operation and parks the running fiber until it has finished. If the fiber is
  // cancelled, it takes the operation back and throws `cancelled`. Throws std::logic_error if the
  // caller is not a fiber, or in a child process of the one that made this. When the limit passes,
  // the operation finishes with ETIMEDOUT. An operation that finishes in the same moment counts as
  // done, so a race loses no data.
  void perform(blocking_operation& operation, time_limit* limit = nullptr);

  // A descriptor must be adopted before its first operation, unless that only waits, and forgotten
  // before it is closed. adopt() returns an errno value; 0 is success.
  int adopt(int descriptor) noexcept { return reactor_->adopt(descriptor); }
  void forget(int descriptor) noexcept { reactor_->forget(descriptor); }

 private:
  friend class scheduler;
  friend class socket;
  friend class stream_socket;

  // Every operation that is submitted to it must be a blocking_operation.
  fibers::reactor& reactor() const noexcept { return *reactor_; }

  blocking_io(std::unique_ptr<fibers::reactor> reactor, task_queue& tasks);

  // --- for the loop ----------------------------------------------------------------------------

  // Calls reactor::poll() and wakes the fibers whose operations have finished. Returns whether
  // there were any.
  bool poll(reactor::time_point deadline);
  bool any_pending() const noexcept { return pending_ > 0; }
  bool on_its_thread() const noexcept { return thread_ == std::this_thread::get_id(); }

  // --- for streams: the short path of most messages --------------------------------------------

  // As perform(), but never gives way to the others. True: the operation completed without
  // waiting, so call completed_at_once() when you need nothing any more that another fiber may
  // destroy.
  bool carry_out(blocking_operation& operation, time_limit* limit);
  void completed_at_once(const operation& done) noexcept;

  // Calls reactor::send_at_once() for the running fiber, notes that the limit saw activity, and may
  // give way to the others. Returns 0 also if perform() would not send.
  ssize_t send_at_once(int descriptor, const void* data, std::size_t size,
                       time_limit& limit) noexcept;

  bool wake_finished() noexcept;
  void await(blocking_operation& operation, time_limit* limit);
  void await_longer(blocking_operation& operation);
  void take_back(blocking_operation& operation, int reason) noexcept;

  // In the child process after a fork(): takes the reactor away from all loops of the parent.
  static void lose_all() noexcept;

  std::unique_ptr<fibers::reactor> own_;
  fibers::reactor* reactor_;  // own_, or what takes its place in a child process
  task_queue& tasks_;
  operation_list finished_;
  std::size_t pending_ = 0;  // operations that were submitted and have not come back
  std::thread::id thread_ = std::this_thread::get_id();
  static blocking_io* newest_;  // all of the process, of every thread
  blocking_io* older_;
};

}  // namespace fibers
