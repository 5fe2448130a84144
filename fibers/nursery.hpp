// nursery: fibers that cannot outlive the scope that started them.
//
//     fibers::nursery group;
//     group.spawn("left", [&] { ... });
//     group.spawn("right", [&] { ... });
//     group.join();                         // both have ended; what one of them threw comes out
//
// The first exception that leaves a child cancels its siblings, and comes out of join() when they
// have unwound. Whatever way the scope is left, no child is there any more: they may refer to its
// variables.
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
  // Called by a fiber.
  nursery() : tasks_{task_queue::running()} {}
  nursery(const nursery&) = delete;
  nursery& operator=(const nursery&) = delete;

  // Cancels the children that are left and waits until they have unwound. What they throw is
  // dropped: whoever wants to hear of it calls join().
  ~nursery() { end_children(); }

  // Runs `body`, any move-only callable, as a child. Children may spawn siblings. After cancel(),
  // or the exception of a sibling, a child that is spawned before the next join() does not run.
  template <std::invocable Body>
  void spawn(std::string_view name, Body&& body);
  template <std::invocable Body>
  void spawn(Body&& body) {
    spawn("anonymous", std::forward<Body>(body));
  }

  // Waits until no child is left; throws the first exception that left one. If the caller is
  // cancelled so are the children, and when they have unwound `cancelled` goes on. The nursery can
  // be used again.
  void join() { join_until(never); }

  // False: the deadline came first, and the children run on.
  bool join_for(clock::duration duration) { return join_until(deadline_after(duration)); }
  bool join_until(clock::time_point deadline);

  // Cancels every child there is. Does not wait for them: join() does.
  void cancel() noexcept { cancel_all_but(nullptr); }

  // How many children are left.
  std::size_t size() const noexcept { return children_.size(); }

 private:
  // A place in the nursery. It moves along with the body of a child, and ends with that.
  class child : public boost::intrusive::list_base_hook<
                    boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
   public:
    explicit child(nursery& of) noexcept : nursery_{&of} { of.children_.push_back(*this); }
    child(child&& other) noexcept;
    ~child();

    // Its exception is kept for join(), if it is the first, and its siblings are cancelled.
    void failed() noexcept;

    fiber* self = nullptr;

   private:
    nursery* nursery_;
  };

  // The body goes before the place does: what it captured may refer to the scope as well.
  template <class Body>
  struct child_with_body : child {
    child_with_body(nursery& of, Body&& run) : child{of}, body{std::move(run)} {}
    void operator()();
    Body body;
  };

  bool wait_until_empty(clock::time_point deadline);
  void end_children() noexcept;
  void cancel_all_but(const child* spared) noexcept;

  task_queue& tasks_;
  boost::intrusive::list<child, boost::intrusive::constant_time_size<false>> children_;
  wait_queue joining_;
  std::exception_ptr failure_;  // the first
  bool cancelled_ = false;
};

// --- implementation --------------------------------------------------------------------------

template <std::invocable Body>
void nursery::spawn(std::string_view name, Body&& body) {
  using body_type = std::decay_t<Body>;
  const auto handle =
      tasks_.spawn(name, child_with_body<body_type>{*this, body_type(std::forward<Body>(body))});
  children_.back().self = &handle.get();
  if (cancelled_) handle.get().cancel();
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
