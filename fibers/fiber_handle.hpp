// fiber_handle: waits for a fiber and returns its result.
//
//     auto answer = tasks.spawn("think", [] { return 42; });
//     answer.join();                        // 42, once the fiber has ended; throws what it threw
//
// A task_queue runs fibers and does not know which fibers wait for one. Those wait in a wait_queue,
// as for a mutex. So spawn() is defined here, above both.
#pragma once

#include <fibers/wait_queue.hpp>

#include <cassert>
#include <concepts>
#include <exception>
#include <functional>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

namespace fibers {

template <class Result>
struct fiber::with_result : fiber {
  using fiber::fiber;
  static_assert(std::is_void_v<Result> || std::is_lvalue_reference_v<Result> ||
                    (std::is_object_v<Result> && std::move_constructible<Result>),
                "what a fiber returns must move: return a std::unique_ptr");
  using stored = std::conditional_t<
      std::is_void_v<Result>, std::monostate,
      std::conditional_t<std::is_reference_v<Result>,
                         std::reference_wrapper<std::remove_reference_t<Result>>, Result>>;
  std::optional<stored> result;
  wait_queue joiners;

  // The body, as code that does not know its type calls and destroys it: so most of spawn() is
  // compiled once per type of result, and not once per body.
  struct erased_body {
    void* object;
    void (*call)(void* object, with_result& self);
    void (*destroy)(void* object);

    template <class Body>
    static erased_body of(void* object) noexcept {
      return {object, &call_as<Body>, &destroy_as<Body>};
    }
    template <class Body>
    static void call_as(void* object, with_result& self) {
      if constexpr (std::is_void_v<Result>) {
        (*static_cast<Body*>(object))();
        self.result.emplace();
      } else {
        self.result.emplace((*static_cast<Body*>(object))());
      }
    }
    template <class Body>
    static void destroy_as(void* object) {
      static_cast<Body*>(object)->~Body();
    }
  };

  void run(const erased_body& body) noexcept {
    try {
      if (!cancel_requested_) body.call(body.object, *this);
    } catch (const cancelled&) {
    } catch (...) {
      error_ = std::current_exception();
    }
  }

  // What the fiber's coroutine calls.
  void run_to_the_end(const erased_body& body) {
    run(body);
    prepare_to_end();
    body.destroy(body.object);  // the destructors may still block; then the fiber ends
    if (!has_handle_) result.reset();
    joiners.serve_all();
    queue_->finish(*this);
  }

  static void destroy_finished(fiber& finished) noexcept {
    const stack dropped = finished.body_->release_stack();
    static_cast<with_result&>(finished).~with_result();
  }

  // The body lies below `place` already, and everything from its address upward is in use.
  static with_result& start(task_queue& queue, stack memory, std::byte* place,
                            std::string_view name, const erased_body& body) {
    auto* record = new (place) with_result{queue, ++queue.last_id_, name};
    record->body_.emplace(std::move(memory), static_cast<std::byte*>(body.object),
                          [record, body](coroutine&) { record->run_to_the_end(body); });
    record->destroy_ = &destroy_finished;
    queue.add(*record);
    return *record;
  }
};

// If the handle is destroyed, the fiber runs on by itself. A handle may outlive the queue, whose
// fibers have all ended by then.
//
// A body may return what can be moved, or a reference to what outlives it. A result that nobody
// takes is destroyed by the fiber, as its last act, if the handle has been dropped by then.
// Otherwise the code that drops the handle destroys it.
template <class Result>
class fiber_handle {
 public:
  fiber_handle() = default;
  explicit fiber_handle(typename fiber::with_result<Result>& record) noexcept : record_{&record} {
    record.has_handle_ = true;
  }
  fiber_handle(fiber_handle&& other) noexcept : record_{std::exchange(other.record_, nullptr)} {}
  fiber_handle& operator=(fiber_handle&& other) noexcept {
    fiber_handle taken{std::move(other)};
    std::swap(record_, taken.record_);
    return *this;
  }
  ~fiber_handle() { detach(); }

  bool joinable() const noexcept { return record_ != nullptr; }
  // Precondition of what follows, detach() aside: joinable().
  bool done() const noexcept { return filled().state_ == fiber::state::finished; }
  // The fiber, for as long as the handle has it: its name, its state, its stop token.
  fiber& record() const noexcept { return filled(); }

  // Gives up the handle. The fiber runs on by itself.
  void detach() noexcept {
    auto* record = std::exchange(record_, nullptr);
    if (record == nullptr) return;
    record->has_handle_ = false;
    if (record->state_ != fiber::state::finished) return;
    record->result.reset();  // its destructor may block, and the queue may end meanwhile
    if (record->queue_ != nullptr) {
      record->queue_->dispose(*record);
    } else {
      record->destroy_(*record);
    }
  }

  void cancel() noexcept { filled().cancel(); }

  // Waits until the fiber has ended or the deadline has passed. True: it has ended, and join() will
  // not wait. Throws `cancelled` if the caller is cancelled. Throws std::logic_error if it would
  // have to wait and the caller is not another fiber of the same queue. Any number of fibers may
  // wait, and one of them may join(). A deadline other than `never` needs a queue with timers.
  template <class Rep, class Period>
  [[nodiscard]] bool wait_for(const std::chrono::duration<Rep, Period>& duration) {
    return wait_by(deadline_after(duration));
  }
  template <class Clock, class Duration>
  [[nodiscard]] bool wait_until(const std::chrono::time_point<Clock, Duration>& moment) {
    return wait_by(deadline_at(moment));
  }

  // Waits until the fiber has ended, and returns its result or throws the exception that left it.
  // Throws `cancelled` if the fiber or the caller was cancelled. Afterwards the handle is empty,
  // unless the caller was cancelled: a caller that is cancelled while it waits throws even if the
  // fiber ends before the caller runs again, and the handle keeps the result.
  Result join();

 private:
  typename fiber::with_result<Result>& filled() const noexcept {
    assert(joinable() && "the handle is empty");
    return *record_;
  }
  bool wait_by(clock::time_point deadline);

  typename fiber::with_result<Result>* record_ = nullptr;
};

// --- implementation --------------------------------------------------------------------------

template <class Result>
bool fiber_handle<Result>::wait_by(clock::time_point deadline) {
  if (done()) return true;
  if (record_->queue_->current() == nullptr) {
    throw std::logic_error{"only a fiber can wait for another"};
  }
  if (record_->queue_->current() == record_) throw std::logic_error{"a fiber waits for itself"};
  wait_queue::waiter self;
  return record_->joiners.wait(self, deadline);
}

template <class Result>
Result fiber_handle<Result>::join() {
  wait_by(never);
  fiber_handle last{std::move(*this)};
  if (last.record_->error_) std::rethrow_exception(std::exchange(last.record_->error_, nullptr));
  if (!last.record_->result) throw cancelled{};
  if constexpr (!std::is_void_v<Result>) return std::move(*last.record_->result);
}

template <std::invocable Body>
fiber_handle<std::invoke_result_t<std::decay_t<Body>&>> task_queue::spawn(std::string_view name,
                                                                          Body&& body) {
  using body_type = std::decay_t<Body>;
  using result = std::invoke_result_t<body_type&>;
  using record_type = fiber::with_result<result>;
  static_assert(sizeof(body_type) < smallest_stack_size / 2, "capture less, or by pointer");
  bury_finished();  // so that the new fiber can take a stack that is still in the cache
  stack memory{stack_size_};
  auto* top = memory.top();
  const auto kept = keep_name(memory, top, name);
  auto* const place = coroutine::below<record_type>(top);
  auto* const object = new (coroutine::below<body_type>(place)) body_type(std::forward<Body>(body));
  return fiber_handle<result>{
      record_type::start(*this, std::move(memory), place, kept,
                         record_type::erased_body::template of<body_type>(object))};
}

}  // namespace fibers
