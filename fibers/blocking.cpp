#include <fibers/blocking.hpp>

#include <pthread.h>

#include <cassert>
#include <cerrno>
#include <mutex>
#include <stdexcept>
#include <utility>

namespace fibers {
namespace {

// Takes the place of a reactor in a child process. The parent has the reactor, and shares its
// descriptors and rings with the child.
class lost_reactor final : public reactor {
  [[noreturn]] static void refuse_use() {
    throw std::logic_error{"a scheduler belongs to the process that made it"};
  }
  io backend() const noexcept override { return io::automatic; }
  int adopt(int) noexcept override { return EPERM; }
  void forget(int) noexcept override {}
  void cancel_all(int) noexcept override {}
  bool submit(operation&) override { refuse_use(); }
  bool cancel(operation& cancelled) noexcept override {
    cancelled.fail(ECANCELED);
    return true;
  }
  void poll(time_point, operation_list& finished) override {
    if (finished.empty()) refuse_use();
  }
  void abandon(operation_list&) noexcept override {}
  void interrupt() noexcept override {}
};

lost_reactor lost;
constinit std::mutex list_of_loops;

}  // namespace

blocking_io* blocking_io::newest_ = nullptr;

blocking_io::blocking_io(std::unique_ptr<fibers::reactor> reactor, task_queue& tasks)
    : own_{std::move(reactor)}, reactor_{own_.get()}, tasks_{tasks} {
  // A child gets the list unlocked and whole.
  [[maybe_unused]] static const int once =
      ::pthread_atfork([] { list_of_loops.lock(); }, [] { list_of_loops.unlock(); },
                       [] {
                         lose_all();
                         list_of_loops.unlock();
                       });
  const std::scoped_lock lock{list_of_loops};
  older_ = std::exchange(newest_, this);
}

blocking_io::~blocking_io() {
  const std::scoped_lock lock{list_of_loops};
  auto** at = &newest_;
  while (*at != this) at = &(*at)->older_;
  *at = older_;
}

void blocking_io::lose_all() noexcept {
  for (auto* each = newest_; each != nullptr; each = each->older_) {
    each->reactor_->abandon(each->finished_);
    each->reactor_ = &lost;
  }
}

bool blocking_io::poll(reactor::time_point deadline) {
  try {
    reactor_->poll(deadline, finished_);
  } catch (...) {
    wake_finished();  // an operation lives on its fiber's stack, so it may not stay in the list
    throw;
  }
  return wake_finished();
}

inline bool blocking_io::wake_finished() noexcept {
  const bool any = !finished_.empty();
  while (!finished_.empty()) {
    auto& done = static_cast<blocking_operation&>(finished_.front());
    finished_.pop_front();
    --pending_;
    tasks_.wake(*done.waiter_.who);
  }
  return any;
}

void blocking_io::perform(blocking_operation& operation, time_limit* limit) {
  if (carry_out(operation, limit)) completed_at_once(operation);
}

bool blocking_io::carry_out(blocking_operation& operation, time_limit* limit) {
  assert(on_its_thread() && "a fiber stays on its thread");
  auto* const waiter = operation.waiter_.who = tasks_.current();
  if (waiter == nullptr) [[unlikely]]
    throw std::logic_error{"only a fiber can block"};
  if (waiter->cancel_requested()) [[unlikely]]
    tasks_.check_cancelled();
  if (limit != nullptr && limit->passed()) [[unlikely]] {
    operation.fail(ETIMEDOUT);
    return false;
  }
  if (reactor_->submit(operation)) return true;
  ++pending_;
  await(operation, limit);
  return false;
}

void blocking_io::completed_at_once(const operation& done) noexcept {
  if (done.what() != operation::kind::accept) return tasks_.completed_at_once();
  tasks_.completed_at_once(task_queue::longest_burst / reactor_->most_accepts());
}

ssize_t blocking_io::send_at_once(int descriptor, const void* data, std::size_t size,
                                  time_limit& limit) noexcept {
  const auto* sender = tasks_.current();
  if (sender == nullptr || sender->cancel_requested() || limit.passed()) return 0;
  const auto sent = reactor_->send_at_once(descriptor, data, size);
  if (sent > 0) {
    limit.activity();
    tasks_.completed_at_once();
  }
  return sent;
}

inline void blocking_io::await(blocking_operation& operation, time_limit* limit) {
  operation.waiter_.limit = limit;
  if (limit != nullptr) limit->alarm_.sleepers[operation.reads() ? 0 : 1] = &operation.waiter_;
  tasks_.park();
  if (!operation.finished()) [[unlikely]]
    await_longer(operation);
  // After a close there may be no limit any more, or another fiber waits under it already.
  if (auto* const still = operation.waiter_.limit)
    still->alarm_.sleepers[operation.reads() ? 0 : 1] = nullptr;
  if (operation.error() == ECANCELED) [[unlikely]]
    tasks_.check_cancelled();
}

// The fiber woke before the operation was done: by a cancellation, by the limit, or spuriously.
[[gnu::noinline]] void blocking_io::await_longer(blocking_operation& operation) {
  while (!operation.finished()) {
    const auto* limit = operation.waiter_.limit;
    if (operation.waiter_.who->cancel_requested()) {
      take_back(operation, ECANCELED);
    } else if (limit != nullptr && limit->passed()) {
      take_back(operation, ETIMEDOUT);
    } else {
      tasks_.park();
    }
  }
}

// Afterwards the operation is finished: by `reason`, or with a result if it finished meanwhile.
void blocking_io::take_back(blocking_operation& operation, int reason) noexcept {
  if (reactor_->cancel(operation)) {
    --pending_;
    operation.fail(reason);
    return;
  }
  while (!operation.finished()) tasks_.park_uncancellable();
  if (operation.error() == ECANCELED) operation.fail(reason);
}

}  // namespace fibers
