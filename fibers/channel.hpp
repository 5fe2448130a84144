// channel: a queue of values from fibers to fibers.
//
//     fibers::channel<int> numbers{10};     // holds ten; none: each push waits for its pop
//     numbers.push(1);                      // parks the fiber while the channel is full
//     numbers.close();                      // no more will come
//     for (int n : numbers) print(n);       // until it is closed and drained
//
//     if (auto n = numbers.pop_for(1s)) print(*n);
//     else if (n.status() == fibers::channel_status::timeout) print("nothing yet");
//
// Any number of fibers may push and pop. Values come out in the order they went in, and go to the
// fiber that has waited longest. A value is moved, never copied, and is in one place at any time.
// If a call throws, is cancelled or passes its deadline, a value to be pushed still belongs to the
// caller, and a value to be popped is still in the channel.
#pragma once

#include <fibers/wait_queue.hpp>

#include <concepts>
#include <cstddef>
#include <exception>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

namespace fibers {

template <class T>
class channel;

// How a call with a deadline ended.
enum class channel_status {
  done,     // the value was pushed, or popped
  closed,   // it never will be: the channel is closed (and drained, where a value was to be popped)
  timeout,  // the deadline passed first; the same call may succeed later
};

// What a pop with a deadline returns: the value, and without one the reason.
template <class T>
class channel_result : public std::optional<T> {
 public:
  channel_status status() const noexcept { return status_; }

 private:
  friend class channel<T>;
  channel_status status_ = channel_status::done;
};

template <class T>
class channel {
 public:
  class iterator;

  explicit channel(std::size_t capacity = 0) : slots_(capacity) {}
  channel(const channel&) = delete;
  channel& operator=(const channel&) = delete;

  // Waits until the value is in the channel; with capacity 0, until it is popped. False: it was not
  // pushed, because the channel is closed. Throws `cancelled` if the fiber is cancelled first, and
  // what moving the value throws.
  bool push(T&& value) { return push_by(value, never) == channel_status::done; }

  // The same with a deadline.
  template <class Rep, class Period>
  [[nodiscard]] channel_status push_for(T&& value,
                                        const std::chrono::duration<Rep, Period>& duration) {
    return push_by(value, deadline_after(duration));
  }
  template <class Clock, class Duration>
  [[nodiscard]] channel_status push_until(T&& value,
                                          const std::chrono::time_point<Clock, Duration>& moment) {
    return push_by(value, deadline_at(moment));
  }

  // The same without waiting. False: the channel is full or closed(). The caller need not be a
  // fiber.
  [[nodiscard]] bool try_push(T&& value);

  // The same with a copy of the value, where there can be one. (They are templates so that an
  // explicit instantiation of the class leaves them out.)
  template <class...>
  requires std::copy_constructible<T>
  bool push(const T& value) { return push(T(value)); }
  template <class Rep, class Period>
  requires std::copy_constructible<T>
  [[nodiscard]] channel_status push_for(const T& value,
                                        const std::chrono::duration<Rep, Period>& duration) {
    return push_for(T(value), duration);
  }
  template <class Clock, class Duration>
  requires std::copy_constructible<T>
  [[nodiscard]] channel_status push_until(const T& value,
                                          const std::chrono::time_point<Clock, Duration>& moment) {
    return push_until(T(value), moment);
  }
  template <class...>
  requires std::copy_constructible<T>
  [[nodiscard]] bool try_push(const T& value) { return try_push(T(value)); }

  // Waits for a value. Returns nothing if the channel is closed and drained. Throws as push() does.
  std::optional<T> pop() {
    std::optional<T> item;
    receive(item, never);
    return item;
  }

  // The same with a deadline.
  template <class Rep, class Period>
  [[nodiscard]] channel_result<T> pop_for(const std::chrono::duration<Rep, Period>& duration) {
    return pop_by(deadline_after(duration));
  }
  template <class Clock, class Duration>
  [[nodiscard]] channel_result<T> pop_until(
      const std::chrono::time_point<Clock, Duration>& moment) {
    return pop_by(deadline_at(moment));
  }

  // The same without waiting. Nothing: the channel is empty; it may be closed(), too. The caller
  // need not be a fiber.
  [[nodiscard]] std::optional<T> try_pop() {
    std::optional<T> item;
    take(item);
    return item;
  }

  // Ends pushing: every push, also one that waits, returns without success. The values in the
  // channel can still be popped. A second close() has no effect.
  void close() noexcept;
  bool closed() const noexcept { return closed_; }

  std::size_t size() const noexcept { return size_; }
  std::size_t capacity() const noexcept { return slots_.size(); }

  // Pops a value, and another one with every ++.
  iterator begin() { return iterator{*this}; }
  std::default_sentinel_t end() const noexcept { return {}; }

 private:
  struct pusher : wait_queue::waiter {
    explicit pusher(T& offered) : value{offered} {}
    T& value;
    bool taken = false;
    std::exception_ptr failure;  // thrown by moving the value, when another fiber moved it
  };
  struct popper : wait_queue::waiter {
    explicit popper(std::optional<T>& wanted) : item{wanted} {}
    std::optional<T>& item;
  };

  bool full() const noexcept { return size_ == slots_.size(); }
  void append(T&& value);
  channel_status push_by(T& value, clock::time_point deadline);
  channel_result<T> pop_by(clock::time_point deadline) {
    channel_result<T> item;
    item.status_ = receive(item, deadline);
    return item;
  }
  channel_status receive(std::optional<T>& item, clock::time_point deadline);
  bool take(std::optional<T>& item);
  void refill() noexcept;

  // A ring buffer: size_ slots hold a value, from first_ on.
  std::vector<std::optional<T>> slots_;
  std::size_t first_ = 0;
  std::size_t size_ = 0;
  wait_queue pushers_;  // empty while there is room
  wait_queue poppers_;  // empty while there is something to take
  bool closed_ = false;
};

template <class T>
class channel<T>::iterator {
 public:
  using value_type = T;
  using difference_type = std::ptrdiff_t;

  explicit iterator(channel& from) : from_{&from} { ++*this; }

  T& operator*() const noexcept { return *item_; }
  iterator& operator++() {
    item_.reset();
    from_->receive(item_, never);
    return *this;
  }
  void operator++(int) { ++*this; }
  friend bool operator==(const iterator& it, std::default_sentinel_t) noexcept { return !it.item_; }

 private:
  channel* from_;
  mutable std::optional<T> item_;  // an iterator's constness is not that of its value
};

// --- implementation --------------------------------------------------------------------------

template <class T>
bool channel<T>::try_push(T&& value) {
  if (closed_) return false;
  if (!poppers_.empty()) {
    auto& waiting = static_cast<popper&>(poppers_.first());
    waiting.item.emplace(std::move(value));
    poppers_.serve(waiting);
    return true;
  }
  if (full()) return false;
  append(std::move(value));
  return true;
}

template <class T>
void channel<T>::append(T&& value) {
  const auto to_end = slots_.size() - first_;
  slots_[size_ < to_end ? first_ + size_ : size_ - to_end].emplace(std::move(value));
  ++size_;
}

template <class T>
channel_status channel<T>::push_by(T& value, clock::time_point deadline) {
  auto& tasks = task_queue::running();
  tasks.check_cancelled();
  if (try_push(std::move(value))) {
    tasks.completed_at_once();
    return channel_status::done;
  }
  if (closed_) return channel_status::closed;
  pusher self{value};  // NOLINT(bugprone-use-after-move): try_push() moves only if it returns true
  if (!pushers_.wait(self, deadline)) return channel_status::timeout;
  if (self.failure) std::rethrow_exception(std::move(self.failure));
  return self.taken ? channel_status::done : channel_status::closed;
}

// Moves the next value into `item`. False: there is none.
template <class T>
bool channel<T>::take(std::optional<T>& item) {
  if (size_ > 0) {
    auto& slot = slots_[first_];
    item.emplace(std::move(*slot));
    slot.reset();
    if (++first_ == slots_.size()) first_ = 0;
    --size_;
    refill();
    return true;
  }
  if (pushers_.empty()) return false;
  auto& waiting = static_cast<pusher&>(pushers_.first());
  item.emplace(std::move(waiting.value));
  waiting.taken = true;
  pushers_.serve(waiting);
  return true;
}

// Moves values of waiting pushers into the free slots. If a move throws, the pusher gets the
// exception.
template <class T>
void channel<T>::refill() noexcept {
  while (!full() && !pushers_.empty()) {
    auto& waiting = static_cast<pusher&>(pushers_.first());
    try {
      append(std::move(waiting.value));
      waiting.taken = true;
    } catch (...) {
      waiting.failure = std::current_exception();
    }
    pushers_.serve(waiting);
  }
}

template <class T>
channel_status channel<T>::receive(std::optional<T>& item, clock::time_point deadline) {
  auto& tasks = task_queue::running();
  tasks.check_cancelled();
  if (take(item)) {
    tasks.completed_at_once();
    return channel_status::done;
  }
  if (closed_) return channel_status::closed;
  popper self{item};
  if (!poppers_.wait(self, deadline)) return channel_status::timeout;
  return item ? channel_status::done : channel_status::closed;
}

template <class T>
void channel<T>::close() noexcept {
  closed_ = true;
  poppers_.serve_all();
  pushers_.serve_all();
}

}  // namespace fibers
