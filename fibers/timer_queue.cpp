#include <fibers/timer_queue.hpp>

#include <time.h>

#include <cassert>
#include <utility>

namespace fibers {
namespace {

clock::duration to_duration(const timespec& t) {
  return std::chrono::seconds{t.tv_sec} + std::chrono::nanoseconds{t.tv_nsec};
}

}  // namespace

clock::time_point coarse_now() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return clock::time_point{to_duration(now)};
}

clock::duration coarse_tick() noexcept {
  static const clock::duration tick = [] {
    timespec resolution{};
    ::clock_getres(CLOCK_MONOTONIC_COARSE, &resolution);
    return to_duration(resolution);
  }();
  return tick;
}

void timer_queue::arm(timer& armed, clock::time_point deadline) {
  armed.deadline_ = deadline;
  if (!armed.armed()) {
    heap_.emplace_back();
    sift_up(heap_.size() - 1, {deadline, &armed});
  } else if (deadline < heap_[armed.place_].when) {
    sift_up(armed.place_, {deadline, &armed});
  }
}

void timer_queue::cancel(timer& cancelled) noexcept {
  if (!cancelled.armed()) return;
  remove(cancelled.place_);
}

void timer_queue::move(timer& from, timer& to) noexcept {
  assert(!to.armed());
  to.deadline_ = from.deadline_;
  to.place_ = std::exchange(from.place_, timer::nowhere);
  if (to.armed()) heap_[to.place_].owner = &to;
}

timer* timer_queue::pop_expired(clock::time_point now) noexcept {
  while (!heap_.empty() && heap_.front().when <= now) {
    auto& first = *heap_.front().owner;
    if (first.deadline_ == heap_.front().when) {
      remove(0);
      return &first;
    }
    sift_down(0, {first.deadline_, &first});  // it was armed again for later
  }
  return nullptr;
}

void timer_queue::remove(std::size_t place) noexcept {
  heap_[place].owner->place_ = timer::nowhere;
  const auto last = heap_.back();
  heap_.pop_back();
  if (place == heap_.size()) return;
  if (place > 0 && last.when < heap_[(place - 1) / 2].when) {
    sift_up(place, last);
  } else {
    sift_down(place, last);
  }
}

void timer_queue::put(std::size_t place, entry moved) noexcept {
  heap_[place] = moved;
  moved.owner->place_ = place;
}

void timer_queue::sift_up(std::size_t place, entry moved) noexcept {
  while (place > 0) {
    const auto parent = (place - 1) / 2;
    if (heap_[parent].when <= moved.when) break;
    put(place, heap_[parent]);
    place = parent;
  }
  put(place, moved);
}

void timer_queue::sift_down(std::size_t place, entry moved) noexcept {
  for (;;) {
    auto child = 2 * place + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1].when < heap_[child].when) ++child;
    if (moved.when <= heap_[child].when) break;
    put(place, heap_[child]);
    place = child;
  }
  put(place, moved);
}

}  // namespace fibers
