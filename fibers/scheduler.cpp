#include <fibers/reactors/make_reactor.hpp>
#include <fibers/scheduler.hpp>

#include <algorithm>
#include <stdexcept>

namespace fibers {
namespace {

thread_local constinit scheduler* newest = nullptr;
thread_local constinit scheduler* running = nullptr;

class running_scheduler {
 public:
  explicit running_scheduler(scheduler& self) noexcept : before_{std::exchange(running, &self)} {}
  running_scheduler(const running_scheduler&) = delete;
  running_scheduler& operator=(const running_scheduler&) = delete;
  ~running_scheduler() { running = before_; }

 private:
  scheduler* before_;
};

// What scheduler::current() returns; null if there is none.
scheduler* here() noexcept {
  return running != nullptr ? running : newest;
}

}  // namespace

scheduler::scheduler(const scheduler_options& options)
    : scheduler{make_reactor(options.backend, options.gather), options} {}

scheduler::scheduler(std::unique_ptr<reactor> own, const scheduler_options& options)
    : blocking_{std::move(own), tasks_},
      tasks_{options.stack_size, &timers_},
      older_{std::exchange(newest, this)},
      spin_{options.spin} {}

scheduler::~scheduler() {
  if (tasks_.running_round()) refuse("a scheduler was destroyed by one of its fibers");
  do {
    unwind();
    posts_.drop();  // the destructor of a post may spawn a fiber
  } while (tasks_.any_alive());
  for (auto** at = &newest; *at != nullptr; at = &(*at)->older_) {
    if (*at != this) continue;
    *at = older_;
    break;
  }
}

void scheduler::unwind() noexcept {
  const running_scheduler in_charge{*this};
  posts_.drop();  // only now: an uncancellable fiber may wait for a later post
  while (tasks_.any_alive()) {
    tasks_.cancel_all();
    try {
      run_once();
    } catch (...) {  // from a fiber without a handle
    }
  }
}

scheduler& scheduler::current() {
  if (here() == nullptr) throw std::logic_error{"this thread has no fibers::scheduler"};
  return *here();
}

void scheduler::run() {
  if (!blocking_.on_its_thread()) throw std::logic_error{"a scheduler stays on its thread"};
  if (tasks_.running_round()) throw std::logic_error{"a fiber cannot run its own scheduler"};
  const running_scheduler in_charge{*this};
  posts_.run();
  do {
    while (tasks_.any_alive() || tasks_.any_failed()) run_once();
  } while (drain());
}

void scheduler::stop() {
  if (blocking_.on_its_thread()) return tasks_.cancel_all();
  post([this] { tasks_.cancel_all(); });
}

// Waits for unsent bytes when no fiber is left. True: a post or an interrupt came before all had
// been sent.
bool scheduler::drain() {
  auto& reactor = blocking_.reactor();
  if (!posts_.fall_asleep()) reactor.interrupt();
  const bool interrupted = reactor.drain();
  posts_.wake_up();
  if (interrupted) posts_.run();
  return interrupted;
}

void scheduler::run_once() {
  tasks_.run_round();  // only the fibers that are ready now, so that I/O cannot starve
  if (!posts_.empty()) posts_.run();
  const bool must_poll = blocking_.reactor().must_poll();
  if (!tasks_.any_alive() && !must_poll) return;
  const auto ready = tasks_.ready_count();
  if (blocking_.any_pending() || ready == 0 || must_poll) look_around();
  if (blocking_.reactor().full_poll() != 0) [[unlikely]]
    look_further(ready);
  time_limit::wake_expired(timers_, tasks_);
}

// Under light load every message comes through here, so the calls are inlined.
[[gnu::flatten]] void scheduler::look_around() {
  auto deadline = next_deadline();
  const bool may_sleep = deadline != reactor::at_once;
  if (may_sleep && spin(deadline)) return;
  if (may_sleep && !posts_.fall_asleep()) deadline = reactor::at_once;
  blocking_.poll(deadline);
  if (may_sleep) posts_.wake_up();
}

// A poll takes a few events at a time, since the received bytes should still be in the cache when
// their fibers run. But if `ready` fibers run anyway, a round takes long, and events that were left
// for the next one would wait for many rounds. So a round takes as many events as it has fibers.
[[gnu::noinline]] void scheduler::look_further(std::size_t ready) {
  const auto& reactor = blocking_.reactor();
  for (auto taken = reactor.full_poll(); taken < ready && reactor.full_poll() != 0;) {
    blocking_.poll(reactor::at_once);
    taken += reactor.full_poll();
  }
}

// Polls without sleeping for up to spin_. True: an event or a post has come, or the deadline has
// passed.
[[gnu::noinline]] bool scheduler::spin(clock::time_point deadline) {
  if (spin_ == clock::duration::zero()) return false;
  const auto end = saturating_add(clock::now(), spin_);
  for (auto now = clock::now(); now < end; now = clock::now()) {
    if (blocking_.poll(reactor::at_once) || !posts_.empty()) return true;
    if (now >= deadline) return true;
  }
  return false;
}

clock::time_point scheduler::next_deadline() const noexcept {
  if (tasks_.any_ready() || !tasks_.any_alive()) return reactor::at_once;
  return timers_.empty() ? reactor::when_something_happens : timers_.earliest();
}

}  // namespace fibers
