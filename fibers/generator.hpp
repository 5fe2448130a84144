// generator: a coroutine that yields values to whoever drives it.
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
// return value. Since the body has a stack of its own it may yield from any depth of calls, and a
// fiber may park inside it. It is also a C++20 input range and view, for one pass.
#pragma once

#include <fibers/coroutine.hpp>

#include <concepts>
#include <exception>
#include <iterator>
#include <memory>
#include <optional>
#include <ranges>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <variant>

namespace fibers {

// Thrown by next() and send() when the generator has ended.
class stop_iteration : public std::exception {
 public:
  const char* what() const noexcept override { return "the generator has ended"; }
};

// Thrown out of `yield` by close(). Let it pass, as destructors do.
class generator_exit {};

// Yield: what next() gives; a reference is passed through, anything else is moved, never copied
// behind your back. Send: what send() takes; by default what is yielded. Return: what the body
// returns.
template <class Yield, class Send = std::remove_cvref_t<Yield>, class Return = void>
class generator : public std::ranges::view_base {
 public:
  using reference = std::conditional_t<std::is_reference_v<Yield>, Yield, Yield&>;
  class yielder;
  class iterator;

  // Any callable that takes yielder& (write auto&). It starts at the first next().
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
      } catch (const stop_iteration&) {  // PEP 479: it must not look like a quiet end
        std::throw_with_nested(std::runtime_error{"the generator raised stop_iteration"});
      }
    };
    made->body.emplace(std::move(memory), place, std::move(run));
    state_.reset(made);
  }

  // Neither may be running: of a generator that is moved, moved over or destroyed while it runs, by
  // its own body or by another fiber while one waits in it, nothing could go on, so the program
  // ends with a sentence.
  generator(generator&& other) noexcept : state_{other.leave()} {}
  generator& operator=(generator&& other) noexcept {
    state_ = other.leave();
    return *this;
  }

  // The next value. Throws stop_iteration at the end, and then every time; throws what the body
  // throws, once. Throws std::logic_error when called from inside the body.
  Yield next();

  // The next value, or `fallback` at the end.
  Yield next_or(Yield fallback);

  // Goes on with `value` as the result of the yield that is waiting. Throws std::logic_error when
  // there is none, because the generator was not started yet.
  template <class Value>
  requires std::constructible_from<Send, Value> Yield send(Value&& value);

  // Throws `error` out of the yield that is waiting; the next value, if the body goes on. A
  // generator that was not started, or has ended, throws `error` right back and is ended.
  Yield throw_(std::exception_ptr error);
  template <class Error>
  Yield throw_(Error error) {
    return throw_(std::make_exception_ptr(std::move(error)));
  }

  // Throws generator_exit out of the yield that is waiting, and ends the generator. Throws
  // std::runtime_error when the body yields again instead. Closing twice is fine.
  void close();

  bool done() const noexcept { return state_ == nullptr || state_->body->done(); }

  // What the body returned; taken once. Throws std::logic_error when there is nothing to take: the
  // body did not end yet, or it ended by an exception.
  Return result() requires(!std::is_void_v<Return>) {
    if (!state_ || !state_->result) throw std::logic_error{"the generator has no result"};
    return *std::exchange(state_->result, std::nullopt);
  }

  // Goes on to the next value, so a loop takes up where next() left off.
  iterator begin() {
    advance();
    return iterator{*this};
  }
  std::default_sentinel_t end() const noexcept { return {}; }

 private:
  template <class, class, class>
  friend class generator;

  using stored_result = std::conditional_t<std::is_void_v<Return>, std::monostate, Return>;

  // Lives at the top of the generator's own stack: a generator is one stack and nothing else.
  struct state {
    std::optional<coroutine> body;
    std::remove_reference_t<Yield>* value = nullptr;  // on the body's stack, while it waits
    std::optional<Send> sent;
    std::exception_ptr injected;
    std::optional<stored_result> result;
    bool started = false;
    bool running = false;
  };
  struct destroyer {
    void operator()(state* dropped) const noexcept {
      if (dropped->running) refuse("a generator was destroyed while it runs");
      dropped->running = true;  // to be unwound is to run
      stack memory = dropped->body->release_stack();
      dropped->body.reset();  // unwinds, and may still look at the rest
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

// What the body calls to yield.
template <class Yield, class Send, class Return>
class generator<Yield, Send, Return>::yielder {
 public:
  explicit yielder(state& state) noexcept : state_{state} {}
  yielder(const yielder&) = delete;
  yielder& operator=(const yielder&) = delete;

  // Hands `value` to whoever drives the generator and waits. Gives what was sent, or nothing when
  // it was next() that went on. Throws std::logic_error when the body does not run.
  std::optional<Send> operator()(const Yield& value) requires(!std::is_reference_v<Yield> &&
                                                              std::copy_constructible<Yield>) {
    Yield copy = value;
    return hand_over(copy);
  }
  std::optional<Send> operator()(Yield&& value) { return hand_over(value); }

  // Python's `yield from`: yields all that `inner` yields, passes sent values and exceptions on to
  // it, and gives its result.
  template <class InnerReturn>
  InnerReturn from(generator<Yield, Send, InnerReturn>& inner);
  template <class InnerReturn>
  InnerReturn from(generator<Yield, Send, InnerReturn>&& inner) {
    return from(inner);
  }

  // Yields every element of a range.
  template <std::ranges::input_range Range>
  void from(Range&& elements) {
    for (auto&& element : elements) (*this)(std::forward<decltype(element)>(element));
  }

 private:
  std::optional<Send> hand_over(std::remove_reference_t<Yield>& value) {
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
  using value_type = std::remove_cvref_t<Yield>;
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

// Before anything is changed. Precondition: not done().
template <class Yield, class Send, class Return>
void generator<Yield, Send, Return>::refuse_from_inside() const {
  if (state_->running) throw std::logic_error{"the generator is already running"};
}

// Runs the body to its next yield; false: it has ended.
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
  } else {
    return std::move(*state_->value);
  }
}

template <class Yield, class Send, class Return>
Yield generator<Yield, Send, Return>::next() {
  advance();
  return current();
}

template <class Yield, class Send, class Return>
Yield generator<Yield, Send, Return>::next_or(Yield fallback) {
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

// Throws out of the waiting yield; false: the body ended by that.
template <class Yield, class Send, class Return>
bool generator<Yield, Send, Return>::inject(std::exception_ptr error) {
  if (done() || !state_->started) {
    state_.reset();
    std::rethrow_exception(std::move(error));
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

}  // namespace fibers
