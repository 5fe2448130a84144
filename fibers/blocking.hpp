// blocking: for whoever builds a call that blocks its fiber and not its thread.
//
//     blocking_operation receive{operation::kind::receive, descriptor};
//     receive.buffer(data, size);
//     scheduler.blocking().perform(receive, &limit);
//     receive.result()                    // bytes, or receive.error()
//
// Programs need none of this: they call this_fiber, tcp and local, which are built of it. What
// waits for something that other fibers do, and not for the world, is built of wait_queue; both
// take a deadline from a time_limit.
#pragma once

#include <fibers/deadline.hpp>
#include <fibers/reactor.hpp>

#include <cstddef>
#include <memory>
#include <thread>
#include <utility>

namespace fibers {

// An operation and the fiber that waits for it.
class blocking_operation : public operation {
 public:
  using operation::operation;

 private:
  friend class blocking_io;
  fiber* waiter_ = nullptr;
};

// The operations of a scheduler's fibers, and the reactor that carries them out.
class blocking_io {
 public:
  blocking_io(const blocking_io&) = delete;
  blocking_io& operator=(const blocking_io&) = delete;

  // Submits the operation and parks the running fiber until it is finished. Throws `cancelled`,
  // having taken the operation back, and std::logic_error when no fiber calls. At the limit the
  // operation finishes with ETIMEDOUT. What finished in the same moment counts as done, so no data
  // is lost to a race.
  void perform(blocking_operation& operation, time_limit* limit = nullptr);

  // A descriptor must be adopted here before the first operation, and forgotten before it is
  // closed.
  fibers::reactor& reactor() const noexcept { return *reactor_; }

 private:
  friend class scheduler;
  friend class stream_socket;

  blocking_io(std::unique_ptr<fibers::reactor> reactor, task_queue& tasks) noexcept
      : reactor_{std::move(reactor)}, tasks_{tasks} {}

  // --- for the loop ----------------------------------------------------------------------------

  // As reactor::poll(), and wakes the fibers whose operations have finished. True: there were some.
  bool poll(reactor::time_point deadline);
  bool any_pending() const noexcept { return pending_ > 0; }
  bool on_its_thread() const noexcept { return thread_ == std::this_thread::get_id(); }

  // --- for streams: the shorter way of most messages -------------------------------------------

  // A fiber that left bytes behind lets the others run before it takes them: meanwhile more come,
  // so one system call takes more. Called before there is an operation, for the descriptor may be
  // closed and another's when it returns.
  void make_way_before_receive(int descriptor) noexcept;

  // As reactor::send_at_once(), for the running fiber; 0 also where perform() would not send.
  ssize_t send_at_once(int descriptor, const void* data, std::size_t size,
                       const time_limit& limit) noexcept;

  void await(blocking_operation& operation, time_limit* limit);
  void await_longer(blocking_operation& operation, time_limit* limit);
  void take_back(blocking_operation& operation, int reason) noexcept;

  std::unique_ptr<fibers::reactor> reactor_;
  task_queue& tasks_;
  operation_list finished_;
  std::size_t pending_ = 0;  // operations in the reactor's books
  std::thread::id thread_ = std::this_thread::get_id();
};

}  // namespace fibers
