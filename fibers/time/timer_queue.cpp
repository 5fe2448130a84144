#include <fibers/time/timer_queue.hpp>

#include <algorithm>
#include <cassert>
#include <utility>

namespace fibers {

timer_queue::~timer_queue() {
  for (const auto& each : heap_) slots_[each.slot].owner->slot_ = timer::none;
}

// Adds a free slot. Keeps room in heap_ for every slot, so that arm() allocates nowhere else.
[[gnu::noinline]] void timer_queue::grow() {
  heap_.reserve(slots_.size() + 1 > heap_.capacity() ? 2 * slots_.size() + 16 : 0);
  slots_.push_back({nullptr, timer::none, false});
  free_ = static_cast<std::uint32_t>(slots_.size()) - 1;
}

inline std::uint32_t timer_queue::take_slot() {
  if (free_ == timer::none) [[unlikely]]
    grow();
  return std::exchange(free_, slots_[free_].place);
}

void timer_queue::arm(timer& armed, clock::time_point deadline) {
  if (!armed.armed()) {
    armed.slot_ = take_slot();
    slots_[armed.slot_].owner = &armed;
    slots_[armed.slot_].put_off = false;
    heap_.emplace_back();
    sift_up(heap_.size() - 1, {deadline, armed.slot_});
  } else {
    auto& its = slots_[armed.slot_];
    its.put_off = deadline > heap_[its.place].when;
    if (!its.put_off) sift_up(its.place, {deadline, armed.slot_});
  }
  armed.deadline_ = deadline;
}

void timer_queue::cancel(timer& cancelled) noexcept {
  if (!cancelled.armed()) return;
  remove(slots_[cancelled.slot_].place);
  cancelled.slot_ = timer::none;
}

void timer_queue::move(timer& from, timer& to) noexcept {
  assert(!to.armed());
  to.deadline_ = from.deadline_;
  to.slot_ = std::exchange(from.slot_, timer::none);
  if (to.armed()) slots_[to.slot_].owner = &to;
}

// The timers are far apart and not in the cache. The processor overlaps the misses only if the
// loads follow each other closely. So no timer is touched before all are found.
std::size_t timer_queue::pop_expired(clock::time_point now, std::span<timer*> expired) noexcept {
  std::size_t count = 0;
  while (count < expired.size() && !heap_.empty() && heap_.front().when <= now) {
    const auto first = heap_.front().slot;
    auto* const owner = slots_[first].owner;
    if (std::exchange(slots_[first].put_off, false)) {
      sift_down(0, {owner->deadline_, first});
    } else {
      remove(0);
      expired[count++] = owner;
    }
  }
  const auto popped = expired.first(count);
  for (const auto* each : popped) __builtin_prefetch(each);
  for (auto* each : popped) each->slot_ = timer::none;
  return count;
}

timer* timer_queue::pop_expired(clock::time_point now) noexcept {
  timer* expired = nullptr;
  pop_expired(now, {&expired, 1});
  return expired;
}

// The caller must set the owner's slot_ to none.
void timer_queue::remove(std::size_t place) noexcept {
  const auto freed = heap_[place].slot;
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

// Copies an entry member by member. A copy of the whole could load 16 bytes of which the first 8
// and the next 4 were just stored separately. Store forwarding fails for such a load, so it would
// wait until the stores are done.
inline void timer_queue::put(std::size_t place, entry moved) noexcept {
  heap_[place].when = moved.when;
  heap_[place].slot = moved.slot;
  slots_[moved.slot].place = static_cast<std::uint32_t>(place);
}

void timer_queue::sift_up(std::size_t place, entry moved) noexcept {
  while (place > 0) {
    const auto parent = (place - 1) / children;
    if (heap_[parent].when <= moved.when) break;
    put(place, {heap_[parent].when, heap_[parent].slot});
    place = parent;
  }
  put(place, moved);
}

// Returns the child that expires first, of those that begin at `first`. Which one that is, is
// random, and a branch would often be mispredicted: four children are compared without branches.
inline std::size_t timer_queue::earliest_of(std::size_t first) const noexcept {
  static_assert(children == 4);
  const auto* const of = heap_.data() + first;
  if (first + children <= heap_.size()) [[likely]] {
    const std::size_t a = of[1].when < of[0].when ? 1 : 0;
    const std::size_t b = of[3].when < of[2].when ? 3 : 2;
    const std::size_t second_pair = of[b].when < of[a].when ? 1 : 0;
    return first + a + (b - a) * second_pair;
  }
  auto child = first;
  for (auto other = first + 1; other < heap_.size(); ++other) {
    if (heap_[other].when < heap_[child].when) child = other;
  }
  return child;
}

// Prefetches the children of the four entries that begin at `first`.
inline void timer_queue::fetch_children_of(std::size_t first) const noexcept {
  const auto below =
      reinterpret_cast<std::uintptr_t>(heap_.data()) + (children * first + 1) * sizeof(entry);
  for (std::size_t i = 0; i < children; ++i) {
    __builtin_prefetch(reinterpret_cast<const void*>(below + i * children * sizeof(entry)));
  }
}

void timer_queue::sift_down(std::size_t place, entry moved) noexcept {
  for (auto first = children * place + 1; first < heap_.size(); first = children * place + 1) {
    fetch_children_of(first);
    const auto child = earliest_of(first);
    if (moved.when <= heap_[child].when) break;
    put(place, {heap_[child].when, heap_[child].slot});
    place = child;
  }
  put(place, moved);
}

}  // namespace fibers
