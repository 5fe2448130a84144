#include <fibers/task_queue.hpp>

#include <algorithm>
#include <cassert>
#include <cstring>
#include <mutex>
#include <stdexcept>

namespace fibers {
namespace {

thread_local constinit task_queue* in_round = nullptr;

constinit std::mutex list_of_queues;

}  // namespace

void fiber::cancel() noexcept {
  if (ending_) return;
  cancel_requested_ = true;
  if (state_ == state::parked && resumable_early_) queue_->wake(*this);
  if (stop_) [[unlikely]]
    queue_->tell(*stop_);
}

std::stop_token fiber::get_stop_token() {
  if (!stop_) {
    stop_.emplace();
    if (cancel_requested_) stop_->request_stop();
  }
  return stop_->get_token();
}

// By value: a callback that blocks, although it must not, may outlive the fiber and its source.
// NOLINTNEXTLINE(performance-unnecessary-value-param): see the line above
void task_queue::tell(std::stop_source stopped) noexcept {
  const bool outer = std::exchange(in_stop_callback_, true);
  stopped.request_stop();
  in_stop_callback_ = outer;
}

task_queue::task_queue(std::size_t stack_size, timer_queue* timers)
    : stack_size_{stack_size}, timers_{timers} {
  const std::scoped_lock lock{list_of_queues};
  older_ = std::exchange(newest_, this);
  number_ = ++queues_made_;
}

task_queue::~task_queue() {
  if (in_round_) refuse("a task_queue was destroyed by one of its fibers");
  unwind();
  if (any_alive()) refuse("a task_queue was destroyed while it has fibers");
  {
    const std::scoped_lock lock{list_of_queues};
    auto** at = &newest_;
    while (*at != this) at = &(*at)->older_;
    *at = older_;
  }
  while (any_failed()) {
    unhandled_ = nullptr;
    bury_finished();
  }
  for (auto& kept : known_) kept.queue_ = nullptr;
  known_.clear();
}

// Ends early where the fibers that are left wait uncancellably.
void task_queue::unwind() noexcept {
  for (cancel_all(); any_ready(); cancel_all()) {
    try {
      run_round();
    } catch (...) {  // from a fiber without a handle
    }
  }
}

bool task_queue::may_be_alive(std::uint64_t unique_id) const noexcept {
  if (unique_id >> bits_of_id != number_) return true;
  bool found = false;
  for_each([&](const fiber& each) { found = found || each.unique_id() == unique_id; });
  return found;
}

timer_queue& task_queue::timers() const {
  if (timers_ == nullptr) throw std::logic_error{"a deadline needs a fibers::scheduler"};
  return *timers_;
}

task_queue& task_queue::running() {
  if (in_round == nullptr || in_round->current_ == nullptr) {
    throw std::logic_error{"only a fiber can do this"};
  }
  return *in_round;
}

// Copies the name to the top of the stack, where the fiber and the overflow handler read it.
std::string_view task_queue::keep_name(stack& memory, std::byte*& top, std::string_view name) {
  constexpr std::size_t longest = 255;
  name = name.substr(0, longest);
  top -= (name.size() + 15) / 16 * 16;
  std::memcpy(top, name.data(), name.size());
  const std::string_view kept{reinterpret_cast<const char*>(top), name.size()};
  memory.set_owner("fiber", kept);
  return kept;
}

void task_queue::add(fiber& fresh) noexcept {
  known_.push_back(fresh);
  ++alive_count_;
  ready_.push_back(fresh);
}

void task_queue::run_round() {
  if (in_round_) refuse("a fiber cannot run the queue that runs it");
  in_round_ = true;
  auto* outer = std::exchange(in_round, this);
  // A fiber of another queue may call this. Until we return, that queue has no running fiber, so
  // nothing here can block on it.
  auto* const outer_fiber = outer != nullptr ? std::exchange(outer->current_, nullptr) : nullptr;
  for (int i = 0; i < extended_round && !continuing_.empty(); ++i) {
    auto& next = continuing_.front();
    continuing_.pop_front();
    ready_.push_back(next);
  }
  const auto ready = static_cast<int>(ready_.size());
  const auto most = std::max(extended_switches_, ready);
  switches_left_ = most;
  while (auto* next = take_next()) {
    current_ = next;
    next->body_->enter();
  }
  in_round = outer;
  if (outer != nullptr) outer->current_ = outer_fiber;
  in_round_ = false;
  if (ready < extended_round && switches_left_ <= 0 && any_ready()) {
    note_extended_round(most - ready + static_cast<int>(ready_.size()));
  } else {
    extended_round_end_ = {};
  }
  bury_finished();
  if (unhandled_) std::rethrow_exception(std::exchange(unhandled_, nullptr));
}

// If a round was ended by its limit, and the one before it too, the time between their ends tells
// how many switches take extended_round_time. Only switches to fibers that became ready in the
// round count, for those of the next round are such: the brief switches to fibers that were ready
// before would hide that one which yields computes for long.
void task_queue::note_extended_round(int became_ready) noexcept {
  const auto now = clock::now();
  const auto last = std::exchange(extended_round_end_, now);
  if (last == clock::time_point{}) return;
  const std::chrono::nanoseconds wanted = extended_round_time * became_ready;
  extended_switches_ = static_cast<int>(std::clamp<std::int64_t>(
      wanted / std::max(now - last, clock::duration{1}), 1, extended_round));
}

// Takes the next fiber from ready_ and marks it as running; null if the round is over.
fiber* task_queue::take_next() noexcept {
  if (ready_.empty() || switches_left_ <= 0) return nullptr;
  --switches_left_;
  auto& next = ready_.front();
  ready_.pop_front();
  next.state_ = fiber::state::running;
  burst_ = 0;
  return &next;
}

void task_queue::give_way(fiber& self) noexcept {
  assert(!in_stop_callback_ && "the callback of a stop token blocks");
  auto* next = take_next();
  current_ = next;
  if (next == &self) return;
  if (next != nullptr) {
    self.body_->transfer_to(*next->body_);
  } else {
    self.body_->suspend();
  }
}

// Moves the fiber to the end of ready_ and runs the others first.
void task_queue::go_to_the_end(fiber& self) noexcept {
  self.state_ = fiber::state::ready;
  ready_.push_back(self);
  give_way(self);
}

void task_queue::yield() {
  check_cancelled();
  go_to_the_end(*current_);
}

void task_queue::park() noexcept {
  auto& self = *current_;
  if (self.cancel_requested_) return;
  self.resumable_early_ = true;
  self.state_ = fiber::state::parked;
  give_way(self);
}

void task_queue::park_uncancellable() noexcept {
  auto& self = *current_;
  self.resumable_early_ = false;
  self.state_ = fiber::state::parked;
  give_way(self);
}

void task_queue::check_cancelled() {
  if (current_->cancel_requested_) [[unlikely]]
    throw_cancelled();
}

// A fiber that swallows the exception in a loop comes here over and over. It gives way, so that the
// others can go on, and is named once.
[[gnu::cold, gnu::noinline]] void task_queue::throw_cancelled() {
  auto& self = *current_;
  if (self.cancellations_ < many_cancellations && ++self.cancellations_ == many_cancellations) {
    complain("the fiber", self.name_, "swallows its cancellation for ever");
  }
  completed_at_once();
  throw cancelled{};
}

void task_queue::let_others_run() noexcept {
  if (!any_ready() || current_ == nullptr) return;
  auto& self = *current_;
  if (continuing_.empty() && ready_.size() < extended_round) return go_to_the_end(self);
  self.state_ = fiber::state::ready;
  continuing_.push_back(self);
  give_way(self);
}

void task_queue::completed_at_once(int weight) noexcept {
  burst_ += weight;
  if (burst_ < longest_burst) return;
  burst_ = 0;
  // End the round after the fibers that are ready now, so that the loop looks at events. How many
  // switches it made is not known then.
  switches_left_ = std::min(switches_left_, static_cast<int>(ready_.size()));
  extended_round_end_ = {};
  go_to_the_end(*current_);
}

void task_queue::wake(fiber& parked) noexcept {
  if (parked.state_ != fiber::state::parked) return;
  parked.state_ = fiber::state::ready;
  parked.body_->fetch_stack();  // a prefetch: it is in the cache when its turn comes
  ready_.push_back(parked);
}

void task_queue::cancel_all() noexcept {
  for (auto& each : known_) each.cancel();
}

// The last call of a fiber, on its own stack.
void task_queue::finish(fiber& self) noexcept {
  self.state_ = fiber::state::finished;
  --alive_count_;
  if (!self.has_handle_) dispose(self);
  current_ = take_next();
  if (current_ != nullptr) self.body_->end_in(*current_->body_);
}

void task_queue::dispose(fiber& finished) noexcept {
  known_.erase(known_.iterator_to(finished));
  finished_.push_back(finished);
}

// Destroys the fibers in finished_. If a second one has an exception that no handle takes, that one
// waits for the next round.
void task_queue::bury_finished() noexcept {
  while (!finished_.empty()) {
    auto& finished = finished_.front();
    if (finished.error_) [[unlikely]] {
      if (unhandled_) return;
      unhandled_ = std::move(finished.error_);
    }
    finished_.pop_front();
    finished.destroy_(finished);
  }
}

}  // namespace fibers
