#include <fibers/time/deadline.hpp>

#include <algorithm>
#include <array>
#include <cassert>
#include <span>
#include <utility>

namespace fibers {
namespace {

// The coarse clock is some ticks behind the exact one; 15 ms were seen. Reading the exact clock
// costs three times as much, so it is not read while the coarse one says that the next timer is
// farther away than this.
constexpr clock::duration far_away = std::chrono::milliseconds{200};

// As many fibers as stay in the cache until they run; it equals the number of events per
// epoll_wait. The others' timers are due at the next look, which does not sleep.
constexpr std::size_t most_rung_at_once = 64;

// When to look at an idle alarm again. It must be after `now`, or the alarm would expire again in
// this round. All alarms with the same period look at the same times, because each separate look
// would wake the loop.
clock::time_point next_look(clock::time_point now, clock::duration idle_period) {
  const auto step = std::max(idle_period / 16, clock::duration{1});
  return saturating_add(now, step - now.time_since_epoch() % step);
}

}  // namespace

clock::time_point saturating_add(clock::time_point now, clock::duration duration) noexcept {
  return duration < clock::time_point::max() - now ? now + duration : clock::time_point::max();
}

clock::time_point deadline_after(clock::duration from_now) noexcept {
  return saturating_add(clock::now(), from_now);
}

clock::time_point deadline_at(clock::duration there, clock::duration now_there) noexcept {
  if (there == clock::duration::max()) return never;
  if (there <= now_there) return clock::time_point{};
  clock::rep left;
  if (__builtin_sub_overflow(there.count(), now_there.count(), &left)) return never;
  return deadline_after(clock::duration{left});
}

time_limit::time_limit(time_limit&& other) noexcept {
  *this = std::move(other);
}

time_limit& time_limit::operator=(time_limit&& other) noexcept {
  assert(other.alarm_.sleepers[0] == nullptr && other.alarm_.sleepers[1] == nullptr);
  if (this == &other) return *this;
  never();
  timers_ = other.timers_;
  alarm_.idle_period = other.alarm_.idle_period;
  alarm_.idle_since = other.alarm_.idle_since;
  alarm_.active = other.alarm_.active;
  alarm_.rang = std::exchange(other.alarm_.rang, false);
  if (other.alarm_.armed()) timers_->move(other.alarm_, alarm_);
  return *this;
}

void time_limit::after(clock::duration from_now, timer_queue& owner) {
  at(deadline_after(from_now), owner);
  alarm_.rang = from_now <= clock::duration::zero();
}

void time_limit::when_idle(clock::duration period, timer_queue& owner) {
  const auto now = clock::now();
  at(std::min(saturating_add(now, period), next_look(now, period)), owner);
  alarm_.idle_period = period;
  alarm_.idle_since = now;
  alarm_.active = false;
}

void time_limit::at(clock::time_point moment, timer_queue& owner) {
  if (timers_ != &owner && alarm_.armed()) timers_->cancel(alarm_);
  timers_ = &owner;
  alarm_.rang = false;
  alarm_.idle_period = clock::duration::zero();
  // A time before the clock's epoch has passed, too, and this one can be subtracted from.
  owner.arm(alarm_, std::max(moment, clock::time_point{}));
}

void time_limit::never() noexcept {
  if (alarm_.armed()) timers_->cancel(alarm_);
  alarm_.rang = false;
}

void time_limit::move_to(timer_queue& owner) {
  if (timers_ == &owner || !alarm_.armed()) return;
  timers_->cancel(alarm_);
  timers_ = &owner;
  owner.arm(alarm_, alarm_.deadline());
}

void time_limit::leave_sleepers() noexcept {
  for (auto*& each : alarm_.sleepers)
    if (each != nullptr) std::exchange(each, nullptr)->limit = nullptr;
}

void time_limit::park(task_queue& tasks) noexcept {
  sleeper here{tasks.current(), this};
  alarm_.sleepers[0] = &here;
  tasks.park();
  if (here.limit != nullptr) alarm_.sleepers[0] = nullptr;
}

void time_limit::wake_expired(timer_queue& timers, task_queue& tasks) {
  if (timers.empty() || timers.earliest() - far_away > coarse_now()) return;
  const auto now = clock::now();
  std::array<timer*, most_rung_at_once> storage;
  const auto expired = std::span{storage}.first(timers.pop_expired(now, storage));
  for (auto* each : expired) {
    for (const auto* sleeper : static_cast<alarm*>(each)->sleepers) {
      if (sleeper != nullptr) sleeper->who->fetch();
    }
  }
  for (auto* each : expired) ring(static_cast<alarm&>(*each), now, timers, tasks);
}

void time_limit::ring(alarm& expired, clock::time_point now, timer_queue& timers,
                      task_queue& tasks) {
  if (expired.idle_period > clock::duration::zero()) {
    if (std::exchange(expired.active, false)) expired.idle_since = now;
    const auto end = saturating_add(expired.idle_since, expired.idle_period);
    if (now < end) return timers.arm(expired, std::min(end, next_look(now, expired.idle_period)));
  }
  expired.rang = true;
  for (const auto* sleeper : expired.sleepers) {
    if (sleeper != nullptr) tasks.wake(*sleeper->who);
  }
}

}  // namespace fibers
