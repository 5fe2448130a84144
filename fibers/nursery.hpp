// nursery: fibers that cannot outlive the scope that started them.
//
//     fibers::nursery group;
//     group.spawn("left", [&] { ... });
//     group.spawn("right", [&] { ... });
//     group.join();                         // both have ended; what one of them threw comes out
//
// The first exception that leaves a child cancels its siblings, and comes out of join() when they
// have unwound. Later ones, of siblings that fail as they unwind, are counted and dropped. However
// the scope is left, no child is running any more, so children may refer to the variables of the
// scope.
#pragma once

#include <fibers/fiber_handle.hpp>

#include <boost/intrusive/list.hpp>
#include <concepts>
#include <cstddef>
#include <exception>
#include <string_view>
#include <type_traits>
#include <utility>

namespace fibers {

class nursery {
 public:
  // Precondition: the caller is a fiber.
  nursery() : tasks_{task_queue::running()}, parent_{tasks_.current()} {}
  nursery(const nursery&) = delete;
  nursery& operator=(const nursery&) = delete;

  // Cancels the children that are left and waits until they have unwound. Drops what they throw;
  // call join() to receive it. Precondition: the caller is not a child. Otherwise the program
  // prints the mistake and terminates.
  ~nursery() { end_children(); }

  // Runs `body`, any move-only callable, as a child. A child may spawn siblings. False: cancel()
  // was called or a sibling failed, and until the next join() no child runs that is spawned. The
  // failure of a child does not end what the parent waits for, so a parent that waits for more than
  // its children looks at this:
  //
  //     while (group.spawn(session{listener.accept()})) {}
  //     group.join();  // throws what the child threw
  template <std::invocable Body>
  bool spawn(std::string_view name, Body&& body);
  template <std::invocable Body>
  bool spawn(Body&& body) {
    return spawn("anonymous", std::forward<Body>(body));
  }

  // Waits until no child is left. Throws the first exception that left one. If the caller is
  // cancelled, cancels the children, waits until they have unwound, and throws `cancelled`. The
  // nursery can be used again. Throws std::logic_error if a child calls it, which would wait for
  // itself.
  void join() { join_by(never); }

  // The same with a deadline. False: the deadline passed first, and the children run on.
  template <class Rep, class Period>
  [[nodiscard]] bool join_for(const std::chrono::duration<Rep, Period>& duration) {
    return join_by(deadline_after(duration));
  }
  template <class Clock, class Duration>
  [[nodiscard]] bool join_until(const std::chrono::time_point<Clock, Duration>& moment) {
    return join_by(deadline_at(moment));
  }

  // Cancels every child. Does not wait for them; join() does.
  void cancel() noexcept { cancel_all_but(nullptr); }

  // How many children have failed by an exception so far, of all that were ever spawned.
  std::size_t failures() const noexcept { return failures_; }

  // The number of children that have not ended.
  std::size_t size() const noexcept { return children_.size(); }

 private:
  // An entry in the list of children. It moves with the body of the child, and is destroyed with
  // it.
  class child : public boost::intrusive::list_base_hook<
                    boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
   public:
    explicit child(nursery& of) noexcept : nursery_{&of} { of.children_.push_back(*this); }
    child(child&& other) noexcept;
    ~child();

    // Keeps the current exception for join(), if it is the first one, and cancels the siblings.
    void failed() noexcept;

    fiber* self = nullptr;  // null until the fiber is spawned

   private:
    nursery* nursery_;
  };

  // The body is destroyed before its entry in the list: what it captured may refer to the scope.
  template <class Body>
  struct child_with_body : child {
    child_with_body(nursery& of, Body&& run) : child{of}, body{std::move(run)} {}
    void operator()();
    Body body;
  };

  void adopt(fiber& spawned) noexcept;
  bool called_by_child() const noexcept;
  bool join_by(clock::time_point deadline);
  bool wait_until_empty(clock::time_point deadline);
  void end_children() noexcept;
  void cancel_all_but(const child* spared) noexcept;

  task_queue& tasks_;
  const fiber* parent_;
  boost::intrusive::list<child, boost::intrusive::constant_time_size<false>> children_;
  wait_queue joining_;
  std::exception_ptr failure_;  // the first
  std::size_t failures_ = 0;
  bool cancelled_ = false;
};

// --- implementation --------------------------------------------------------------------------

template <std::invocable Body>
bool nursery::spawn(std::string_view name, Body&& body) {
  using body_type = std::decay_t<Body>;
  const auto handle =
      tasks_.spawn(name, child_with_body<body_type>{*this, body_type(std::forward<Body>(body))});
  adopt(handle.record());
  return !cancelled_;
}

template <class Body>
void nursery::child_with_body<Body>::operator()() {
  try {
    body();
  } catch (const cancelled&) {
    throw;
  } catch (...) {
    failed();
  }
}

}  // namespace fibers
