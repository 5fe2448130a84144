// generator: a coroutine that yields values to its caller.
//
//     fibers::generator<int> countdown(int n) {
//       return {[n](auto& yield) mutable {
//         for (; n > 0; --n) yield(n);
//       }};
//     }
//     auto counter = countdown(5);
//     counter.next();                      // 5: the body runs from here, not before
//     for (int v : counter) print(v);      // 4 3 2 1
//
// The protocol is Python's (PEP 255, 342, 380, 479): next, send, throw_, close, delegation, a
// return value. The body has its own stack, so it may yield from any depth of calls, and a fiber
// may park inside it. A generator is also a single-pass C++20 input range and a view.
#pragma once

#include <fibers/coroutine.hpp>

#include <concepts>
#include <exception>
#include <functional>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <variant>

namespace fibers {

// next() and send() throw this when the generator has ended.
class stop_iteration : public std::exception {
 public:
  const char* what() const noexcept override { return "the generator has ended"; }
};

// close() and the destructor make `yield` throw this. Do not swallow it; destructors run as usual.
class generator_exit {};

// What stands for a value in a generator of no values.
template <class T>
using nonvoid = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

// Called in a handler of stop_iteration. PEP 479: it must not look like a normal end.
[[noreturn]] inline void throw_raised_stop_iteration() {
  std::throw_with_nested(std::runtime_error{"the generator raised stop_iteration"});
}

// Yield: the type of a value. A reference is passed through; anything else is moved, unless the
// body yields an lvalue, which is copied. Of void the body calls `yield()`, and a loop sees
// std::monostate. Send: what send() takes; by default the type of a value. Return: what the body
// returns.
template <class Yield, class Send = std::remove_cvref_t<nonvoid<Yield>>, class Return = void>
class [[nodiscard]] generator : public std::ranges::view_base {
 public:
  using item = nonvoid<Yield>;
  using reference = std::conditional_t<std::is_reference_v<item>, item, item&>;
  class yielder;
  class iterator;

  generator() = default;  // one that has ended

  // `body` is any callable that takes yielder& (write auto&). It starts at the first next(). Throws
  // boost::system::system_error if there is no memory for its stack.
  template <body_of<yielder> Body>
  generator(Body&& body, std::size_t stack_size = default_stack_size) {
    stack memory{stack_size};
    memory.set_owner("a generator");
    auto* place = coroutine::below<state>(memory.top());
    auto* made = new (place) state;
    auto run = [made, body = std::forward<Body>(body)](coroutine&) mutable {
      yielder yield{*made};
      try {
        if constexpr (std::is_void_v<Return>) {
          body(yield);
        } else {
          made->result.emplace(body(yield));
        }
      } catch (const stop_iteration&) {
        throw_raised_stop_iteration();
      }
    };
    made->body.emplace(std::move(memory), place, std::move(run));
    state_.reset(made);
  }

  // Destroying or replacing a generator closes it, as close() does. What the body throws then is
  // dropped. If the body yields again, that yield throws `cancelled`, which unwinds it.
  //
  // Precondition of moving, assigning and destroying: neither generator is running. A running one
  // has no place to return to then, whether its own body did it or another fiber while one waits
  // inside, so the program prints the mistake and terminates.
  generator(generator&& other) noexcept : state_{other.leave()} {}
  generator& operator=(generator&& other) noexcept {
    state_ = other.leave();
    return *this;
  }

  // Runs the body to its next yield and returns the value. Throws stop_iteration when the body
  // ends, and at every later call. Throws what the body throws, once. Throws std::logic_error if
  // the generator is running.
  Yield next();

  // The same, but returns `fallback` at the end.
  Yield next_or(item fallback) requires(!std::is_void_v<Yield>);

  // Makes the waiting yield return `value`, and returns the next value. Throws like next(). Throws
  // std::logic_error if the generator has not started, since no yield waits then.
  template <class Value>
  requires std::constructible_from<Send, Value> Yield send(Value&& value);

  // Makes the waiting yield throw `error`, and returns the next value if the body goes on. Throws
  // like next(). If the generator has not started or has ended, ends it and throws `error`. Throws
  // std::invalid_argument if `error` is null.
  Yield throw_(std::exception_ptr error);
  template <class Error>
  Yield throw_(Error error) {
    return throw_(std::make_exception_ptr(std::move(error)));
  }

  // Makes the waiting yield throw generator_exit, which ends the generator. Throws
  // std::runtime_error if the body yields again instead. A second close() has no effect.
  void close();

  bool done() const noexcept { return state_ == nullptr || state_->body->done(); }

  // What the body returned. It can be taken once. Throws std::logic_error if there is nothing to
  // take: it was taken, the body has not ended, or it ended by an exception.
  Return result() requires(!std::is_void_v<Return>) {
    if (!state_ || !state_->result) throw std::logic_error{"the generator has no result"};
    return *std::exchange(state_->result, std::nullopt);
  }

  // Advances to the next value, so a loop continues where next() stopped.
  iterator begin() {
    advance();
    return iterator{*this};
  }
  std::default_sentinel_t end() const noexcept { return {}; }

 private:
  template <class, class, class>
  friend class generator;

  using stored_result =
      std::conditional_t<std::is_reference_v<Return>,
                         std::reference_wrapper<std::remove_reference_t<Return>>, nonvoid<Return>>;

  // Lies at the top of the generator's own stack, so a generator needs no other memory.
  struct state {
    std::optional<coroutine> body;
    // On the body's stack; valid while it waits in a yield.
    std::remove_reference_t<item>* value = nullptr;
    std::optional<Send> sent;
    std::exception_ptr injected;
    std::optional<stored_result> result;
    bool started = false;
    bool running = false;

    void close_quietly() noexcept {
      injected = std::make_exception_ptr(generator_exit{});
      try {
        body->resume();
      } catch (...) {  // a destructor has no caller to report errors to
      }
    }
  };
  struct destroyer {
    void operator()(state* dropped) const noexcept {
      if (dropped->running) refuse("a generator was destroyed while it runs");
      dropped->running = true;  // closing and unwinding run the body
      if (dropped->started && !dropped->body->done()) dropped->close_quietly();
      stack memory = dropped->body->release_stack();
      dropped->body.reset();  // unwinds; the destructors may still use the rest
      dropped->~state();
    }
  };

  auto leave() noexcept {
    if (state_ && state_->running) refuse("a generator was moved while it runs");
    return std::move(state_);
  }
  void refuse_from_inside() const;
  bool advance();
  bool inject(std::exception_ptr error);
  Yield current();

  std::unique_ptr<state, destroyer> state_;
};

// The body calls this object to yield.
template <class Yield, class Send, class Return>
class generator<Yield, Send, Return>::yielder {
 public:
  explicit yielder(state& state) noexcept : state_{state} {}
  yielder(const yielder&) = delete;
  yielder& operator=(const yielder&) = delete;

  // Passes `value` to the caller of the generator and waits. Returns what send() passed, or nothing
  // after a next(). Throws std::logic_error if the body is not running.
  std::optional<Send> operator()(const item& value) requires(!std::is_reference_v<item> &&
                                                             std::copy_constructible<item>) {
    item copy = value;
    return hand_over(copy);
  }
  std::optional<Send> operator()(item&& value) { return hand_over(value); }
  std::optional<Send> operator()() requires std::is_void_v<Yield> { return (*this)(item{}); }

  // Python's `yield from`: yields all values of `inner`, passes sent values and exceptions on to
  // it, and returns its result. Throws std::logic_error if there is no result to take: `inner` had
  // ended before, by an exception or with a result that was taken.
  template <class InnerReturn>
  InnerReturn from(generator<Yield, Send, InnerReturn>& inner);
  template <class InnerReturn>
  InnerReturn from(generator<Yield, Send, InnerReturn>&& inner) {
    return from(inner);
  }

  // Yields every element of a range. Those of a container that is passed as an rvalue are moved.
  // Throws std::logic_error when send() passes a value, because a range cannot take it.
  template <std::ranges::input_range Range>
  void from(Range&& elements);

 private:
  std::optional<Send> hand_over(std::remove_reference_t<item>& value) {
    if (!state_.running) throw std::logic_error{"only the body of a generator can yield"};
    state_.value = std::addressof(value);
    state_.body->suspend();
    if (state_.injected) std::rethrow_exception(std::exchange(state_.injected, nullptr));
    return std::exchange(state_.sent, std::nullopt);
  }

  state& state_;
};

template <class Yield, class Send, class Return>
class generator<Yield, Send, Return>::iterator {
 public:
  using value_type = std::remove_cvref_t<item>;
  using difference_type = std::ptrdiff_t;

  iterator() = default;
  explicit iterator(generator& driven) noexcept : generator_{&driven} {}

  reference operator*() const noexcept {
    return static_cast<reference>(*generator_->state_->value);
  }
  iterator& operator++() {
    generator_->advance();
    return *this;
  }
  void operator++(int) { ++*this; }
  friend bool operator==(const iterator& it, std::default_sentinel_t) noexcept {
    return it.generator_->done();
  }

 private:
  generator* generator_ = nullptr;
};

// --- implementation --------------------------------------------------------------------------

// Throws std::logic_error if the body is running, before anything is changed. Precondition: not
// done().
template <class Yield, class Send, class Return>
void generator<Yield, Send, Return>::refuse_from_inside() const {
  if (state_->running) throw std::logic_error{"the generator is already running"};
}

// Runs the body to its next yield. False: it has ended.
template <class Yield, class Send, class Return>
bool generator<Yield, Send, Return>::advance() {
  if (done()) return false;
  refuse_from_inside();
  auto& here = *state_;
  struct running_guard {
    bool& running;
    ~running_guard() { running = false; }
  } guard{here.running};
  here.running = here.started = true;
  here.body->resume();
  return !here.body->done();
}

template <class Yield, class Send, class Return>
Yield generator<Yield, Send, Return>::current() {
  if (done()) throw stop_iteration{};
  if constexpr (std::is_reference_v<Yield>) {
    return static_cast<Yield>(*state_->value);
  } else if constexpr (!std::is_void_v<Yield>) {
    return std::move(*state_->value);
  }
}

template <class Yield, class Send, class Return>
Yield generator<Yield, Send, Return>::next() {
  advance();
  return current();
}

template <class Yield, class Send, class Return>
Yield generator<Yield, Send, Return>::next_or(item fallback) requires(!std::is_void_v<Yield>) {
  return advance() ? current() : std::forward<Yield>(fallback);
}

template <class Yield, class Send, class Return>
template <class Value>
requires std::constructible_from<Send, Value> Yield
generator<Yield, Send, Return>::send(Value&& value) {
  if (done()) throw stop_iteration{};
  if (!state_->started)
    throw std::logic_error{"a generator that was not started waits for nothing"};
  refuse_from_inside();
  state_->sent.emplace(std::forward<Value>(value));
  return next();
}

// Throws `error` out of the waiting yield. False: the body has ended.
template <class Yield, class Send, class Return>
bool generator<Yield, Send, Return>::inject(std::exception_ptr error) {
  if (!error) throw std::invalid_argument{"a generator is thrown no exception"};
  if (done()) std::rethrow_exception(std::move(error));
  if (!state_->started) {
    state_.reset();
    try {
      std::rethrow_exception(std::move(error));
    } catch (const stop_iteration&) {
      throw_raised_stop_iteration();
    }
  }
  refuse_from_inside();
  state_->injected = std::move(error);
  return advance();
}

template <class Yield, class Send, class Return>
Yield generator<Yield, Send, Return>::throw_(std::exception_ptr error) {
  inject(std::move(error));
  return current();
}

template <class Yield, class Send, class Return>
void generator<Yield, Send, Return>::close() {
  if (done()) return;
  if (!state_->started) {
    state_.reset();
    return;
  }
  try {
    if (!inject(std::make_exception_ptr(generator_exit{}))) return;
  } catch (const generator_exit&) {
    return;
  }
  throw std::runtime_error{"the generator ignored generator_exit"};
}

template <class Yield, class Send, class Return>
template <class InnerReturn>
InnerReturn generator<Yield, Send, Return>::yielder::from(
    generator<Yield, Send, InnerReturn>& inner) {
  for (bool more = inner.advance(); more;) {
    std::optional<Send> sent;
    std::exception_ptr thrown;
    try {
      sent = hand_over(*inner.state_->value);
    } catch (const generator_exit&) {
      inner.close();
      throw;
    } catch (const cancelled&) {
      throw;
    } catch (...) {
      thrown = std::current_exception();
    }
    if (thrown) {
      more = inner.inject(std::move(thrown));
    } else {
      inner.state_->sent = std::move(sent);
      more = inner.advance();
    }
  }
  if constexpr (!std::is_void_v<InnerReturn>) return inner.result();
}

template <class Yield, class Send, class Return>
template <std::ranges::input_range Range>
void generator<Yield, Send, Return>::yielder::from(Range&& elements) {
  constexpr bool owned = !std::is_lvalue_reference_v<Range> &&
                         !std::ranges::view<std::remove_cvref_t<Range>> &&
                         !std::is_lvalue_reference_v<Yield>;
  for (auto&& element : elements) {
    using same = decltype(element);
    using passed = std::conditional_t<owned, std::remove_reference_t<same>&&, same>;
    if ((*this)(static_cast<passed>(element)))
      throw std::logic_error{"a range cannot take what is sent"};
  }
}

}  // namespace fibers
