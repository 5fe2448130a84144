#include <fibers/task_queue.hpp>

#include <algorithm>
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
  if (stop_) stop_->request_stop();
  if (state_ == state::parked && resumable_early_) queue_->wake(*this);
}

std::stop_token fiber::get_stop_token() {
  if (!stop_) {
    stop_.emplace();
    if (cancel_requested_) stop_->request_stop();
  }
  return stop_->get_token();
}

task_queue::task_queue(std::size_t stack_size, timer_queue* timers)
    : stack_size_{stack_size}, timers_{timers} {
  const std::scoped_lock lock{list_of_queues};
  older_ = std::exchange(newest_, this);
}

task_queue::~task_queue() {
  {
    const std::scoped_lock lock{list_of_queues};
    auto** at = &newest_;
    while (*at != this) at = &(*at)->older_;
    *at = older_;
  }
  if (any_alive()) refuse("a task_queue was destroyed while it has fibers");
  while (any_failed()) {
    unhandled_ = nullptr;
    bury_finished();
  }
  for (auto& kept : known_) kept.queue_ = nullptr;
  known_.clear();
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

void task_queue::run_round() {
  if (in_round_) refuse("a fiber cannot run the queue that runs it");
  in_round_ = true;
  auto* outer = std::exchange(in_round, this);
  // Of the queue whose fiber runs this one's round, no fiber runs meanwhile: none of it can block.
  auto* const outer_fiber = outer != nullptr ? std::exchange(outer->current_, nullptr) : nullptr;
  const auto ready = static_cast<int>(ready_.size());
  switches_left_ = std::max(extended_switches_, ready);
  while (auto* next = take_next()) {
    current_ = next;
    next->body_->enter();
  }
  in_round = outer;
  if (outer != nullptr) outer->current_ = outer_fiber;
  in_round_ = false;
  note_round(ready);
  bury_finished();
  if (unhandled_) std::rethrow_exception(std::exchange(unhandled_, nullptr));
}

// Where fibers went on yielding until the end of the round, how long two ends lie apart tells how
// many switches fit into the next.
void task_queue::note_round(int ready) noexcept {
  if (ready_.empty() || switches_left_ > 0 || ready >= extended_round) {
    extended_round_end_ = {};
    return;
  }
  using std::chrono::steady_clock;
  const auto now = steady_clock::now();
  const auto last = std::exchange(extended_round_end_, now);
  if (last == steady_clock::time_point{}) return;
  const std::chrono::nanoseconds wanted = extended_round_time * std::max(extended_switches_, ready);
  extended_switches_ = static_cast<int>(std::clamp<std::int64_t>(
      wanted / std::max(now - last, steady_clock::duration{1}), 1, extended_round));
}

// The fiber whose turn it is, now running; null: the round is over.
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
  auto* next = take_next();
  current_ = next;
  if (next == &self) return;
  if (next != nullptr) {
    self.body_->transfer_to(*next->body_);
  } else {
    self.body_->suspend();
  }
}

// Of the queue: the fiber stays ready, and all others that are run first.
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

void task_queue::check_cancelled() const {
  if (current_->cancel_requested_) throw cancelled{};
}

void task_queue::let_others_run() noexcept {
  if (ready_.empty() || current_ == nullptr) return;
  go_to_the_end(*current_);
}

void task_queue::completed_at_once() noexcept {
  if (++burst_ < longest_burst) return;
  burst_ = 0;
  // The round ends with those ready now: others may be waiting to be seen.
  switches_left_ = std::min(switches_left_, static_cast<int>(ready_.size()));
  go_to_the_end(*current_);
}

void task_queue::wake(fiber& parked) noexcept {
  if (parked.state_ != fiber::state::parked) return;
  parked.state_ = fiber::state::ready;
  parked.body_->fetch_stack();  // until its turn comes it is there
  ready_.push_back(parked);
}

void task_queue::cancel_all() noexcept {
  for (auto& each : known_) each.cancel();
}

// Called by a fiber as its last act on its own stack.
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

// Of two exceptions that nobody joins the second waits for the next round.
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
