// timer_queue: who waits for what time.
//
//     fibers::timer_queue timers;
//     fibers::timer nap;
//     timers.arm(nap, clock::now() + 10ms);
//     ... timers.pop_expired(clock::now())  // &nap, once its time has come; then null
//
// A heap of deadlines. A timer lives with whoever waits, and knows its slot, where its place in the
// heap is written: so cancelling needs no search, and what moves in the heap touches no memory of
// those who wait, which is far away and cold. A timer that is armed again for a later time stays
// where it is and is put right when its old time comes: to push a timeout further for every message
// costs a store.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace fibers {

using clock = std::chrono::steady_clock;

// The time as of the last tick that the kernel has seen: never ahead of clock::now(), and cheaper
// to read. It is some ticks behind, 15 ms on a virtual machine: no deadline may be kept by it.
clock::time_point coarse_now() noexcept;

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
  std::uint32_t slot_ = none;  // in timer_queue::slots_
};

class timer_queue {
 public:
  timer_queue() = default;
  timer_queue(const timer_queue&) = delete;
  timer_queue& operator=(const timer_queue&) = delete;

  // Timers that are still armed are so no longer, and will not expire.
  ~timer_queue();

  // Arms `armed`, or moves it, to expire at `deadline`; one in the past expires at the next look.
  // Until it expires or is cancelled it must not move or die. Throws std::bad_alloc.
  void arm(timer& armed, clock::time_point deadline);

  // Does nothing to a timer that is not armed.
  void cancel(timer& cancelled) noexcept;

  // The armed timer `from` goes on living as `to`.
  void move(timer& from, timer& to) noexcept;

  // Takes out the first timers whose deadline is not after `now`, as many as `expired` has room
  // for, and writes them there in the order of their deadlines. Returns how many.
  std::size_t pop_expired(clock::time_point now, std::span<timer*> expired) noexcept;

  // Takes out the first such timer; null when there is none.
  timer* pop_expired(clock::time_point now) noexcept;

  bool empty() const noexcept { return heap_.empty(); }
  std::size_t size() const noexcept { return heap_.size(); }

  // No timer expires before. It may be earlier than the first real deadline. Precondition: not
  // empty.
  clock::time_point earliest() const noexcept { return heap_.front().when; }

 private:
  // Four children each: half as deep as with two, and the four stand side by side.
  static constexpr std::size_t children = 4;

  struct entry {
    clock::time_point when;  // at most the deadline of the slot's owner
    std::uint32_t slot;
  };
  struct slot {
    timer* owner;
    std::uint32_t place;  // in heap_; of a free slot: the next free one
    bool put_off;         // the owner's deadline is later than what the heap says
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
