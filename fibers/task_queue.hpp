// task_queue: a thousand fibers share one thread.
//
//     fibers::task_queue tasks;
//     tasks.spawn("T-minus", [&] { for (int n = 3; n > 0; --n) { print(n); tasks.yield(); } });
//     while (tasks.any_ready()) tasks.run_round();
//
// A fiber is a coroutine that this queue runs. It gives up the processor in two ways: yield() (run
// me again) and park() (run me after a wake()). Everything that waits is built on these two:
// mutexes and channels, timers and sockets.
//
// A fiber that yields or parks jumps straight to the next ready fiber. The stack that called
// run_round() is entered again only when the round is over.
#pragma once

#include <fibers/coroutine.hpp>
#include <fibers/time/clock.hpp>

#include <boost/intrusive/list.hpp>
#include <boost/intrusive/slist.hpp>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <exception>
#include <optional>
#include <stop_token>
#include <string_view>
#include <type_traits>
#include <utility>

namespace fibers {

class task_queue;
class timer_queue;

// The queue's record of one fiber. It lies at the top of the fiber's own stack, so a parked fiber
// takes one page and no other memory. It is aligned so that a switch touches one cache line of it.
class alignas(64) fiber : public boost::intrusive::slist_base_hook<
                              boost::intrusive::link_mode<boost::intrusive::normal_link>> {
 public:
  enum class state : std::uint8_t {
    ready,     // in task_queue::ready_
    running,   // on the processor; at most one per queue
    parked,    // not in ready_; the code that will wake it has its address
    finished,  // in task_queue::finished_, or kept by its fiber_handle
  };

  // Counts the fibers of the queue.
  std::uint64_t id() const noexcept { return id_; }
  // No other fiber of the process has it, before or after this one. Precondition: the queue exists.
  std::uint64_t unique_id() const noexcept;
  std::string_view name() const noexcept { return name_; }
  state status() const noexcept { return state_; }
  const stack& memory() const noexcept { return body_->memory(); }

  // Prefetches what wake() will touch.
  void fetch() const noexcept { __builtin_prefetch(this); }

  // coroutine::visit() on this fiber. Precondition: the fiber is not running.
  void visit(void (*look)(void* argument), void* argument) noexcept {
    body_->visit(look, argument);
  }

  // Requests that the fiber ends: the blocking call that it is in, or else its next one, throws
  // `cancelled`. A second request has no effect. The fiber decides when it ends; join() waits for
  // that. Call this on the queue's thread; to cancel on request of another thread, use
  // scheduler::post().
  void cancel() noexcept;
  bool cancel_requested() const noexcept { return cancel_requested_; }

  // A token that cancel() stops. Its callbacks run in cancel(), when the fiber has been woken. They
  // may spawn, cancel and drop handles, but must not block: cancel_all() goes through a list.
  std::stop_token get_stop_token();

 private:
  friend class task_queue;
  template <class>
  friend class fiber_handle;
  using all_hook = boost::intrusive::list_member_hook<
      boost::intrusive::link_mode<boost::intrusive::normal_link>>;

  template <class Result>
  struct with_result;

  void prepare_to_end() noexcept {
    ending_ = true;
    cancel_requested_ = false;
  }

  fiber(task_queue& queue, std::uint64_t id, std::string_view name) noexcept
      : queue_{&queue}, id_{id}, name_{name} {}

  // These, the hook and the first members of body_ fill the cache line that a switch touches.
  state state_ = state::ready;
  bool cancel_requested_ = false;
  bool resumable_early_ = false;  // parked by park(): cancel() wakes it
  bool ending_ = false;           // only destructors are left: cancel() has no effect any more
  bool has_handle_ = false;
  std::uint16_t cancellations_ = 0;  // how often `cancelled` was thrown, up to many_cancellations
  std::optional<coroutine> body_;

  task_queue* queue_;  // null: the queue is gone, and a handle keeps the finished fiber
  std::uint64_t id_;
  std::string_view name_;  // the characters are on the fiber's stack
  all_hook all_hook_;
  std::exception_ptr error_;
  std::optional<std::stop_source> stop_;
  void (*destroy_)(fiber&) noexcept = nullptr;
};

template <class Result>
class fiber_handle;

class task_queue {
 public:
  // The limits of an extended round. If all fibers only yield, a round of few fibers is short, and
  // the work between two rounds is not free. Such a round goes on for up to `extended_round`
  // switches and for about `extended_round_time`, so that the loop looks at events in time.
  static constexpr int extended_round = 64;  // also the most fibers of continuing_ per round
  static constexpr auto extended_round_time = std::chrono::microseconds{20};

  // How many operations a fiber may complete in a row without giving way. One operation that
  // completes at once is no reason to give way, but one flooding peer must not starve the others.
  static constexpr int longest_burst = 32;

  // How often a fiber swallows its cancellation before standard error names it.
  static constexpr int many_cancellations = 1000;

  // `timers` is where the deadlines of the fibers are armed. If it is null, no fiber can have a
  // deadline.
  explicit task_queue(std::size_t stack_size = default_stack_size, timer_queue* timers = nullptr);
  task_queue(const task_queue&) = delete;
  task_queue& operator=(const task_queue&) = delete;

  // Cancels the remaining fibers and runs rounds until they have unwound. Drops what they throw.
  // Precondition: the caller is not one of them, and none waits uncancellably for what only the
  // caller can do. Otherwise the program prints the mistake and terminates.
  ~task_queue();

  // Runs `body` as a fiber, from the next round on. Listings and the report of a stack overflow
  // print the name. An exception that leaves `body` comes out of join(). If the fiber has no
  // handle, it comes out of run_round(). Include fiber_handle.hpp to call this: it defines it.
  template <std::invocable Body>
  fiber_handle<std::invoke_result_t<std::decay_t<Body>&>> spawn(std::string_view name, Body&& body);

  // Runs every fiber that is ready now, at least once, but only some of many that let others run
  // (let_others_run()). Throws an exception that left a fiber without a handle. Precondition: the
  // caller is not a fiber of this queue.
  void run_round();

  bool any_ready() const noexcept { return !ready_.empty() || !continuing_.empty(); }
  std::size_t ready_count() const noexcept { return ready_.size() + continuing_.size(); }
  bool any_alive() const noexcept { return alive_count_ != 0; }
  // Whether that fiber has not ended, or is one of another queue. Looks at every fiber.
  bool may_be_alive(std::uint64_t unique_id) const noexcept;
  // Whether fibers have ended whose exceptions are still to come out of run_round(), one per round.
  bool any_failed() const noexcept { return !finished_.empty(); }
  std::size_t alive_count() const noexcept { return alive_count_; }

  // Whether a round of this queue is being run. If so, a caller on the queue's thread is inside of
  // it.
  bool running_round() const noexcept { return in_round_; }

  // Throws std::logic_error if the queue has no timers.
  timer_queue& timers() const;

  // The running fiber; null between rounds.
  fiber* current() const noexcept { return current_; }

  // The queue whose fiber is running on this thread. Throws std::logic_error outside of a fiber.
  static task_queue& running();

  // --- called by the running fiber -----------------------------------------------------------

  // Lets every other ready fiber run first. Throws `cancelled` if that was requested.
  void yield();

  // --- for code that builds a waiting call; called by the running fiber ----------------------

  // Waits for wake(). Returns early, or at once, if the fiber is cancelled: check for what you wait
  // for, and if it is not there, call check_cancelled(). Never throws.
  void park() noexcept;

  // The same, but a cancellation does not wake the fiber: for waiting until other code has released
  // this fiber's memory.
  void park_uncancellable() noexcept;

  // Throws `cancelled` if that was requested of the running fiber. As completed_at_once(), gives
  // way before every longest_burst-th throw in a row.
  void check_cancelled();

  // Lets the fibers run first that are ready, if there are any. Never throws. For a fiber that goes
  // on with bytes which have come already: where many do, a round runs only so many of them, so
  // that the loop looks at events in time, and a fiber that an event wakes overtakes the rest.
  void let_others_run() noexcept;

  // Counts an operation that completed without waiting, as many as `weight`. Every longest_burst-th
  // one in a row gives way.
  void completed_at_once(int weight = 1) noexcept;

  // --- called by anyone on this thread -------------------------------------------------------

  // Makes a parked fiber ready; does nothing to one that is not parked.
  void wake(fiber& parked) noexcept;

  void cancel_all() noexcept;

  // Calls `function` for every fiber that has not ended, in the order in which they were spawned.
  template <class Function>
  void for_each(Function&& function) const {
    for (const auto& each : known_) {
      if (each.state_ != fiber::state::finished) function(each);
    }
  }
  template <class Function>
  void for_each(Function&& function) {
    for (auto& each : known_) {
      if (each.state_ != fiber::state::finished) function(each);
    }
  }

 private:
  friend class fiber;
  template <class>
  friend class fiber_handle;
  using fiber_list = boost::intrusive::slist<fiber, boost::intrusive::cache_last<true>>;
  using known_list = boost::intrusive::list<
      fiber, boost::intrusive::member_hook<fiber, fiber::all_hook, &fiber::all_hook_>,
      boost::intrusive::constant_time_size<false>>;

  static std::string_view keep_name(stack& memory, std::byte*& top, std::string_view name);
  void tell(std::stop_source stopped) noexcept;
  void add(fiber& fresh) noexcept;
  void finish(fiber& self) noexcept;
  void dispose(fiber& finished) noexcept;
  void bury_finished() noexcept;
  void unwind() noexcept;

  fiber* take_next() noexcept;
  void note_extended_round(int became_ready) noexcept;
  void give_way(fiber& self) noexcept;
  [[noreturn]] void throw_cancelled();
  void go_to_the_end(fiber& self) noexcept;

  // All queues of the process, as an intrusive list for a debugger: fibers.gdb.py begins here.
  static inline constinit task_queue* newest_ = nullptr;
  task_queue* older_ = nullptr;

  // A unique id: the number of the queue, and behind it that of the fiber.
  static constexpr int bits_of_id = 40;
  static inline constinit std::uint64_t queues_made_ = 0;

  std::size_t stack_size_;
  timer_queue* timers_;
  std::uint64_t last_id_ = 0;
  std::size_t alive_count_ = 0;
  fiber_list ready_;
  fiber_list continuing_;  // ready as well; each round moves some of them to ready_
  fiber_list finished_;    // ended; destroyed once nothing runs on their stacks
  known_list known_;       // all but those in finished_: alive, or ended and kept by a handle
  fiber* current_ = nullptr;
  bool in_round_ = false;
  bool in_stop_callback_ = false;
  int switches_left_ = 0;                   // until the end of this round
  int extended_switches_ = extended_round;  // how many took about extended_round_time lately
  // When the last round ended; zero if its limit did not end it, or a flood of operations did.
  clock::time_point extended_round_end_{};
  int burst_ = 0;
  std::exception_ptr unhandled_;
  std::uint64_t number_ = 0;  // of queues_made_
};

inline std::uint64_t fiber::unique_id() const noexcept {
  return (queue_->number_ << task_queue::bits_of_id) | id_;
}

}  // namespace fibers
