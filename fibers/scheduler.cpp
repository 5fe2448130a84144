#include <fibers/reactors/make_reactor.hpp>
#include <fibers/scheduler.hpp>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <stdexcept>
#include <system_error>

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

// The one of scheduler::current(); null where there is none.
scheduler* here() noexcept {
  return running != nullptr ? running : newest;
}

}  // namespace

scheduler::scheduler(const scheduler_options& options)
    : reactor_{make_reactor(options.backend)},
      tasks_{options.stack_size, &timers_},
      older_{std::exchange(newest, this)},
      spin_{options.spin} {}

scheduler::~scheduler() {
  if (tasks_.running_round()) refuse("a scheduler was destroyed by one of its fibers");
  unwind();
  posts_.drop();
  for (auto** at = &newest; *at != nullptr; at = &(*at)->older_) {
    if (*at != this) continue;
    *at = older_;
    break;
  }
}

void scheduler::unwind() noexcept {
  const running_scheduler in_charge{*this};
  posts_.drop();  // what comes later may be what a fiber waits for that cannot be cancelled
  while (tasks_.any_alive()) {
    tasks_.cancel_all();
    try {
      run_once();
    } catch (...) {  // of a fiber that nobody waits for any more
    }
  }
}

scheduler& scheduler::current() {
  if (here() == nullptr) throw std::logic_error{"this thread has no fibers::scheduler"};
  return *here();
}

void scheduler::run() {
  assert(thread_ == std::this_thread::get_id() && "a scheduler stays on its thread");
  if (tasks_.running_round()) throw std::logic_error{"a fiber cannot run its own scheduler"};
  const running_scheduler in_charge{*this};
  posts_.run();
  do {
    while (tasks_.any_alive() || tasks_.any_failed()) run_once();
  } while (drain());
}

// With no fiber left. True: somebody posted before all that was sent had left.
bool scheduler::drain() {
  if (!posts_.fall_asleep()) reactor_->interrupt();
  const bool interrupted = reactor_->drain();
  posts_.wake_up();
  if (interrupted) posts_.run();
  return interrupted;
}

void scheduler::run_once() {
  tasks_.run_round();  // only those ready now: I/O cannot starve
  if (!posts_.empty()) posts_.run();
  if (!tasks_.any_alive() && !reactor_->must_poll()) return;
  if (pending_ > 0 || !tasks_.any_ready() || reactor_->must_poll()) look_around();
  time_limit::wake_expired(timers_, tasks_);
}

void scheduler::look_around() {
  const auto deadline = next_deadline();
  if (deadline == reactor::at_once) {
    reactor_->poll(deadline, finished_);
  } else if (!spin(deadline)) {
    reactor_->poll(posts_.fall_asleep() ? deadline : reactor::at_once, finished_);
    posts_.wake_up();
  }
  wake_finished();
}

// Looks again and again for a while. True: something came, or the deadline did.
bool scheduler::spin(clock::time_point deadline) {
  if (spin_ == clock::duration::zero()) return false;
  const auto end = saturating_add(clock::now(), spin_);
  for (auto now = clock::now(); now < end; now = clock::now()) {
    reactor_->poll(reactor::at_once, finished_);
    if (!finished_.empty() || !posts_.empty()) return true;
    if (now >= deadline) return true;
  }
  return false;
}

void scheduler::wake_finished() {
  while (!finished_.empty()) {
    auto& done = static_cast<blocking_operation&>(finished_.front());
    finished_.pop_front();
    --pending_;
    tasks_.wake(*done.waiter);
  }
}

clock::time_point scheduler::next_deadline() const noexcept {
  if (tasks_.any_ready() || !tasks_.any_alive()) return reactor::at_once;
  return timers_.empty() ? reactor::when_something_happens : timers_.earliest();
}

void scheduler::perform(blocking_operation& operation, time_limit* limit) {
  assert(thread_ == std::this_thread::get_id() && "a fiber stays on its thread");
  operation.waiter = tasks_.current();
  if (operation.waiter == nullptr) [[unlikely]]
    throw std::logic_error{"only a fiber can block"};
  if (operation.waiter->cancel_requested()) [[unlikely]]
    throw cancelled{};
  if (limit != nullptr && limit->passed()) [[unlikely]]
    return operation.fail(ETIMEDOUT);
  if (reactor_->submit(operation)) return tasks_.completed_at_once();
  ++pending_;
  await(operation, limit);
}

void scheduler::make_way_before_receive(int descriptor) noexcept {
  if (reactor_->may_receive(descriptor)) tasks_.let_others_run();
}

ssize_t scheduler::send_at_once(int descriptor, const void* data, std::size_t size,
                                const time_limit& limit) noexcept {
  const auto* sender = tasks_.current();
  if (sender == nullptr || sender->cancel_requested() || limit.passed()) return 0;
  const auto sent = reactor_->send_at_once(descriptor, data, size);
  if (sent > 0) tasks_.completed_at_once();
  return sent;
}

inline void scheduler::await(blocking_operation& operation, time_limit* limit) {
  if (limit != nullptr) limit->alarm_.sleepers[operation.reads() ? 0 : 1] = operation.waiter;
  tasks_.park();
  if (!operation.finished()) [[unlikely]]
    await_longer(operation, limit);
  if (limit != nullptr) {
    auto*& sleeper = limit->alarm_.sleepers[operation.reads() ? 0 : 1];
    if (sleeper == operation.waiter) sleeper = nullptr;  // after a close another may wait already
  }
  if (operation.error() == ECANCELED) [[unlikely]]
    tasks_.check_cancelled();
}

// Woken before it was done: by a cancellation, by the limit, or by mistake.
[[gnu::noinline]] void scheduler::await_longer(blocking_operation& operation, time_limit* limit) {
  while (!operation.finished()) {
    if (operation.waiter->cancel_requested()) {
      take_back(operation, ECANCELED);
    } else if (limit != nullptr && limit->passed()) {
      take_back(operation, ETIMEDOUT);
    } else {
      tasks_.park();
    }
  }
}

// Afterwards the operation is finished: by `reason`, or by what happened while it was taken back.
void scheduler::take_back(blocking_operation& operation, int reason) noexcept {
  if (reactor_->cancel(operation)) {
    --pending_;
    operation.fail(reason);
    return;
  }
  while (!operation.finished()) tasks_.park_uncancellable();
  if (operation.error() == ECANCELED) operation.fail(reason);
}

}  // namespace fibers
