#include <fibers/post_queue.hpp>

#include <memory>

namespace fibers {

// add() stores pushed_, then loads asleep_; fall_asleep() stores asleep_, then loads pushed_ (store
// buffering, as in Dekker's algorithm). All four are seq_cst, so at least one side sees the other,
// and no wake-up is lost.
bool post_queue::add(post* added) noexcept {
  added->next = pushed_.load(std::memory_order_relaxed);
  while (!pushed_.compare_exchange_weak(added->next, added, std::memory_order_seq_cst,
                                        std::memory_order_relaxed)) {
  }
  return asleep_.exchange(false, std::memory_order_seq_cst);
}

bool post_queue::fall_asleep() noexcept {
  asleep_.store(true, std::memory_order_seq_cst);
  return pushed_.load(std::memory_order_seq_cst) == nullptr;
}

post_queue::post* post_queue::take() noexcept {
  post* in_order = nullptr;
  for (auto* at = pushed_.exchange(nullptr, std::memory_order_acquire); at != nullptr;) {
    auto* const next = at->next;
    at->next = std::exchange(in_order, at);
    at = next;
  }
  return in_order;
}

void post_queue::run() {
  run_left();
  left_ = take();
  run_left();
}

void post_queue::run_left() {
  while (left_ != nullptr) {
    const std::unique_ptr<post> first{std::exchange(left_, left_->next)};
    first->run();
  }
}

// The destructor of what is dropped may push more.
void post_queue::drop() noexcept {
  for (;;) {
    auto* dropped = left_ != nullptr ? std::exchange(left_, nullptr) : take();
    if (dropped == nullptr) return;
    while (dropped != nullptr) delete std::exchange(dropped, dropped->next);
  }
}

}  // namespace fibers
