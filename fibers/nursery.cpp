#include <fibers/nursery.hpp>

#include <algorithm>
#include <stdexcept>

namespace fibers {

nursery::child::child(child&& other) noexcept : self{other.self}, nursery_{other.nursery_} {
  auto& all = nursery_->children_;
  all.insert(all.iterator_to(other), *this);
  other.unlink();
}

nursery::child::~child() {
  if (!is_linked()) return;  // moved from: another object has its place
  unlink();
  if (nursery_->children_.empty()) nursery_->joining_.serve_all();
}

void nursery::child::failed() noexcept {
  ++nursery_->failures_;
  if (!nursery_->failure_) nursery_->failure_ = std::current_exception();
  nursery_->cancel_all_but(this);
}

// Tells the newest child without a fiber that it has one. It need not be the last of the list:
// moving its body may have spawned others.
void nursery::adopt(fiber& spawned) noexcept {
  auto at = children_.rbegin();
  while (at->self != nullptr) ++at;
  at->self = &spawned;
  if (cancelled_) spawned.cancel();
}

// The parent is asked about most often, and no list is searched for it.
bool nursery::called_by_child() const noexcept {
  const auto* self = tasks_.current();
  if (self == parent_) return false;
  return std::any_of(children_.begin(), children_.end(),
                     [self](const child& each) { return each.self == self; });
}

bool nursery::join_by(clock::time_point deadline) {
  if (called_by_child()) throw std::logic_error{"a child waits for its nursery"};
  try {
    if (!wait_until_empty(deadline)) return false;
  } catch (const cancelled&) {
    end_children();
    throw;
  }
  cancelled_ = false;
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
  return true;
}

// The loop is for siblings that the last children spawned before this fiber runs.
bool nursery::wait_until_empty(clock::time_point deadline) {
  tasks_.check_cancelled();
  while (!children_.empty()) {
    wait_queue::waiter self;
    if (!joining_.wait(self, deadline)) return false;
  }
  return true;
}

void nursery::end_children() noexcept {
  if (children_.empty()) return;
  if (called_by_child()) refuse("a nursery was destroyed by one of its children");
  cancel();
  while (!children_.empty()) {
    wait_queue::waiter self;
    joining_.wait_uncancellable(self);
  }
}

void nursery::cancel_all_but(const child* spared) noexcept {
  cancelled_ = true;
  for (auto& each : children_) {
    if (&each != spared && each.self != nullptr) each.self->cancel();
  }
}

}  // namespace fibers
