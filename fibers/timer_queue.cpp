#include <fibers/timer_queue.hpp>

#include <time.h>

#include <algorithm>
#include <cassert>
#include <utility>

namespace fibers {

clock::time_point coarse_now() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return clock::time_point{std::chrono::seconds{now.tv_sec} +
                           std::chrono::nanoseconds{now.tv_nsec}};
}

timer_queue::~timer_queue() {
  for (const auto& each : heap_) slots_[each.slot].owner->slot_ = timer::none;
}

// There is room in the heap for every slot.
std::uint32_t timer_queue::take_slot() {
  if (free_ == timer::none) {
    heap_.reserve(slots_.size() + 1 > heap_.capacity() ? 2 * slots_.size() + 16 : 0);
    slots_.push_back({nullptr, timer::none});
    free_ = static_cast<std::uint32_t>(slots_.size()) - 1;
  }
  return std::exchange(free_, slots_[free_].place);
}

void timer_queue::arm(timer& armed, clock::time_point deadline) {
  if (!armed.armed()) {
    armed.slot_ = take_slot();
    slots_[armed.slot_].owner = &armed;
    heap_.emplace_back();
    sift_up(heap_.size() - 1, {deadline, armed.slot_});
  } else if (const auto place = slots_[armed.slot_].place; deadline < heap_[place].when) {
    sift_up(place, {deadline, armed.slot_});
  }
  armed.deadline_ = deadline;
}

void timer_queue::cancel(timer& cancelled) noexcept {
  if (!cancelled.armed()) return;
  remove(slots_[cancelled.slot_].place);
}

void timer_queue::move(timer& from, timer& to) noexcept {
  assert(!to.armed());
  to.deadline_ = from.deadline_;
  to.slot_ = std::exchange(from.slot_, timer::none);
  if (to.armed()) slots_[to.slot_].owner = &to;
}

timer* timer_queue::pop_expired(clock::time_point now) noexcept {
  while (!heap_.empty() && heap_.front().when <= now) {
    const auto first = heap_.front();
    auto& owner = *slots_[first.slot].owner;
    if (owner.deadline_ == first.when) {
      remove(0);
      if (!heap_.empty()) __builtin_prefetch(slots_[heap_.front().slot].owner);  // likely the next
      return &owner;
    }
    sift_down(0, {owner.deadline_, first.slot});  // it was armed again for later
  }
  return nullptr;
}

void timer_queue::remove(std::size_t place) noexcept {
  const auto freed = heap_[place].slot;
  slots_[freed].owner->slot_ = timer::none;
  slots_[freed].place = std::exchange(free_, freed);
  const auto last = heap_.back();
  heap_.pop_back();
  if (place == heap_.size()) return;
  if (place > 0 && last.when < heap_[(place - 1) / children].when) {
    sift_up(place, last);
  } else {
    sift_down(place, last);
  }
}

inline void timer_queue::put(std::size_t place, entry moved) noexcept {
  heap_[place] = moved;
  slots_[moved.slot].place = static_cast<std::uint32_t>(place);
}

void timer_queue::sift_up(std::size_t place, entry moved) noexcept {
  while (place > 0) {
    const auto parent = (place - 1) / children;
    if (heap_[parent].when <= moved.when) break;
    put(place, heap_[parent]);
    place = parent;
  }
  put(place, moved);
}

void timer_queue::sift_down(std::size_t place, entry moved) noexcept {
  for (;;) {
    const auto first = children * place + 1;
    if (first >= heap_.size()) break;
    auto child = first;
    for (auto other = first + 1; other < std::min(first + children, heap_.size()); ++other) {
      if (heap_[other].when < heap_[child].when) child = other;
    }
    if (moved.when <= heap_[child].when) break;
    put(place, heap_[child]);
    place = child;
  }
  put(place, moved);
}

}  // namespace fibers
