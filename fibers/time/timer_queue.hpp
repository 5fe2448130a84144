// timer_queue: the timers that are armed, by deadline.
//
//     fibers::timer_queue timers;
//     fibers::timer nap;
//     timers.arm(nap, clock::now() + 10ms);
//     ... timers.pop_expired(clock::now())  // &nap, once its time has come; then null
//
// A heap of deadlines. A timer lives with the code that waits, and knows its slot. The slot holds
// the timer's place in the heap, so cancelling needs no search, and moving an entry in the heap
// does not touch the timer, which is far away and not in the cache. A timer that is armed again for
// a later time stays where it is, and moves down when its old time comes: to extend a timeout for
// every message costs a store.
#pragma once

#include <fibers/time/clock.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace fibers {

class timer {
 public:
  timer() = default;
  timer(const timer&) = delete;
  timer& operator=(const timer&) = delete;

  bool armed() const noexcept { return slot_ != none; }
  clock::time_point deadline() const noexcept { return deadline_; }

 private:
  friend class timer_queue;
  static constexpr std::uint32_t none = static_cast<std::uint32_t>(-1);

  clock::time_point deadline_{};
  std::uint32_t slot_ = none;  // index into timer_queue::slots_
};

class timer_queue {
 public:
  timer_queue() = default;
  timer_queue(const timer_queue&) = delete;
  timer_queue& operator=(const timer_queue&) = delete;

  // Timers that are still armed become unarmed and never expire.
  ~timer_queue();

  // Arms the timer, or moves it, to expire at `deadline`. A deadline in the past expires at the
  // next pop_expired(). Until it expires or is cancelled, the timer must not move or be destroyed.
  // Throws std::bad_alloc.
  void arm(timer& armed, clock::time_point deadline);

  // Has no effect on a timer that is not armed.
  void cancel(timer& cancelled) noexcept;

  // `to` takes the place of `from`. Has no effect if `from` is not armed. Precondition: `to` is not
  // armed.
  void move(timer& from, timer& to) noexcept;

  // Removes the first timers whose deadline is not after `now`, at most expired.size(). Writes them
  // to `expired` in the order of their deadlines and returns how many.
  std::size_t pop_expired(clock::time_point now, std::span<timer*> expired) noexcept;

  // Removes the first such timer; null if there is none.
  timer* pop_expired(clock::time_point now) noexcept;

  bool empty() const noexcept { return heap_.empty(); }
  std::size_t size() const noexcept { return heap_.size(); }

  // No timer expires before this. It may be earlier than the first real deadline. Precondition: not
  // empty().
  clock::time_point earliest() const noexcept { return heap_.front().when; }

 private:
  // Children per node: the heap is half as deep as with two, and the four lie side by side.
  static constexpr std::size_t children = 4;

  struct entry {
    clock::time_point when;  // not after the deadline of the slot's owner
    std::uint32_t slot;
  };
  struct slot {
    timer* owner;
    std::uint32_t place;  // index into heap_; of a free slot: the next free slot
    bool put_off;         // the owner's deadline is later than the heap's `when`
  };
  void grow();
  std::uint32_t take_slot();
  void put(std::size_t place, entry moved) noexcept;
  std::size_t earliest_of(std::size_t first) const noexcept;
  void fetch_children_of(std::size_t first) const noexcept;
  void sift_up(std::size_t place, entry moved) noexcept;
  void sift_down(std::size_t place, entry moved) noexcept;
  void remove(std::size_t place) noexcept;

  std::vector<entry> heap_;
  std::vector<slot> slots_;
  std::uint32_t free_ = timer::none;  // the first free slot
};

}  // namespace fibers
