#include <algorithm>
#include <mutex>

#include <tests/fibers/random_programs/trial.hpp>

namespace random_programs {

using fibers::channel_status;
using fibers::clock;

bool trial::perform_on_channel(int self, const action& done) {
  switch (done.what) {
    case verb::push:
    case verb::push_for:
    case verb::try_push:
      push(self, done);
      return true;
    case verb::pop:
    case verb::pop_for:
    case verb::try_pop:
      pop(self, done);
      return true;
    case verb::finish:
      channels_[static_cast<std::size_t>(done.object)].close();
      return true;
    default:
      return false;
  }
}

void trial::push(int self, const action& done) {
  const auto index = static_cast<std::size_t>(done.object);
  auto& to = channels_[index];
  const int ticket = ++tickets_;
  const in_call call{*this, self, channel_books_[index].pushing};
  auto status = channel_status::done;
  if (done.what == verb::try_push) {
    if (!to.try_push(ticket)) return;
  } else if (done.what == verb::push) {
    if (!to.push(ticket)) status = channel_status::closed;
  } else {
    status = to.push_for(ticket, units(done.amount));
  }
  if (status == channel_status::timeout) {
    expect(to.size() == to.capacity(), "a push overlooks room", self);
    expect_due(self, call.begin, done.amount);
  }
  if (status == channel_status::closed) expect(to.closed(), "a push says: closed", self);
  if (status == channel_status::done) channel_books_[index].pushed.emplace_back(ticket, ticket);
}

void trial::pop(int self, const action& done) {
  const auto index = static_cast<std::size_t>(done.object);
  auto& from = channels_[index];
  const int ticket = ++tickets_;
  const in_call call{*this, self, channel_books_[index].popping};
  std::optional<int> value;
  if (done.what == verb::try_pop) {
    value = from.try_pop();
  } else if (done.what == verb::pop) {
    value = from.pop();
    expect(value || from.closed(), "a pop says: closed", self);
  } else {
    const auto popped = from.pop_for(units(done.amount));
    if (popped.status() == channel_status::timeout) {
      expect(from.size() == 0, "a pop overlooks a value", self);
      expect_due(self, call.begin, done.amount);
    }
    if (popped.status() == channel_status::closed) {
      expect(from.closed(), "a pop says: closed", self);
    }
    value = popped;
  }
  if (value) channel_books_[index].popped.emplace_back(ticket, *value);
}

// Something that a fiber waits for although it is there; empty if there is none.
std::string trial::neglected_waits() {
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    const auto& book = channel_books_[i];
    const auto& about = channels_[i];
    const bool has_room = about.size() < about.capacity() || book.popping > 0 || about.closed();
    const bool has_values = about.size() > 0 || book.pushing > 0 || about.closed();
    if ((book.pushing > 0 && has_room) || (book.popping > 0 && has_values)) {
      return "a fiber waits for channel " + std::to_string(i);
    }
  }
  for (std::size_t i = 0; i < mutexes_.size(); ++i) {
    if (locking_[i] > 0 && owners_[i] == 0) return "a fiber waits for mutex " + std::to_string(i);
  }
  for (std::size_t i = 0; i < semaphores_.size(); ++i) {
    if (acquiring_[i] > 0 && inside_[i] < permits[i]) {
      return "a fiber waits for semaphore " + std::to_string(i);
    }
  }
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    if (waiting_[i] > 0 && groups_[i].expected() == 0) {
      return "a fiber waits for group " + std::to_string(i);
    }
  }
  return {};
}

// Whatever fibers wait at both sides: the calls that have succeeded are served in the order in
// which they began.
void trial::check_channels() {
  for (std::size_t i = 0; i < channels_.size(); ++i) {
    auto& pushed = channel_books_[i].pushed;
    auto& popped = channel_books_[i].popped;
    while (const auto left = channels_[i].try_pop()) popped.emplace_back(++tickets_, *left);
    std::ranges::sort(pushed);
    std::ranges::sort(popped);
    const auto same = [](const auto& one, const auto& other) { return one.second == other.second; };
    if (!std::ranges::equal(pushed, popped, same)) {
      complain("channel " + std::to_string(i) + " loses, doubles or reorders values");
    }
  }
}

bool trial::perform_on_lock(int self, const action& done) {
  switch (done.what) {
    case verb::lock:
    case verb::lock_for:
      lock(self, done);
      return true;
    case verb::await:
    case verb::await_for:
      await(self, done);
      return true;
    case verb::notify_one:
      conditions_[static_cast<std::size_t>(done.object)].notify_one();
      return true;
    case verb::notify_all:
      conditions_[static_cast<std::size_t>(done.object)].notify_all();
      return true;
    default:
      return false;
  }
}

void trial::lock(int self, const action& done) {
  auto& door = mutexes_[static_cast<std::size_t>(done.object)];
  const int ticket = ++tickets_;
  std::unique_lock inside{door, std::defer_lock};
  {
    const in_call call{*this, self, locking_[static_cast<std::size_t>(done.object)]};
    if (done.what == verb::lock) {
      inside.lock();
    } else if (!inside.try_lock_for(units(done.amount))) {
      expect(!inside.try_lock(), "a lock overlooks that the mutex is free", self);
      return expect_due(self, call.begin, done.amount);
    }
  }
  hold(self, done.object, ticket, done.what == verb::lock ? done.amount : 1);
}

void trial::hold(int self, int mutex, int ticket, int amount) {
  const auto index = static_cast<std::size_t>(mutex);
  struct leaves {
    ~leaves() { --owners; }
    int& owners;
  } at_the_end{++owners_[index]};
  expect(owners_[index] == 1, "a mutex has two owners", self);
  expect(std::exchange(last_tickets_[index], ticket) < ticket, "a mutex is not fair", self);
  sleep(self, amount);
}

void trial::await(int self, const action& done) {
  const auto index = static_cast<std::size_t>(done.object);
  std::unique_lock lock{doors_[index]};
  const auto enter = [&] {
    expect(++behind_door_[index] == 1, "a condition's mutex has two owners", self);
  };
  enter();
  --behind_door_[index];
  const auto begin = clock::now();
  bool notified = true;
  try {
    if (done.what == verb::await) {
      conditions_[index].wait(lock);
    } else {
      notified =
          conditions_[index].wait_for(lock, units(done.amount)) == std::cv_status::no_timeout;
    }
  } catch (const fibers::cancelled&) {
    expect(lock.owns_lock(), "a cancelled wait has lost the lock", self);
    throw;
  }
  enter();
  if (!notified) expect_due(self, begin, done.amount);
  struct leaves {
    ~leaves() { --behind; }
    int& behind;
  } at_the_end{behind_door_[index]};
  fibers::this_fiber::yield();
}

bool trial::perform_on_counts(int self, const action& done) {
  const auto index = static_cast<std::size_t>(done.object);
  switch (done.what) {
    case verb::acquire:
    case verb::acquire_for:
      acquire(self, done);
      return true;
    case verb::add:
      groups_[index].add();
      return true;
    case verb::done:
      if (groups_[index].expected() == 0) return true;
      groups_[index].done();
      if (groups_[index].expected() == 0) ++zeros_[index];
      return true;
    case verb::wait:
    case verb::wait_for: {
      const in_call call{*this, self, waiting_[index]};
      const bool expected = groups_[index].expected() != 0;
      const int zeros = zeros_[index];
      if (done.what == verb::wait) {
        groups_[index].wait();
      } else if (!groups_[index].wait_for(units(done.amount))) {
        expect(groups_[index].expected() != 0, "a wait overlooks that all is done", self);
        expect_due(self, call.begin, done.amount);
        return true;
      }
      expect(!expected || zeros_[index] != zeros, "a wait_group ends a wait too early", self);
      return true;
    }
    default:
      return false;
  }
}

void trial::acquire(int self, const action& done) {
  const auto index = static_cast<std::size_t>(done.object);
  auto& permit = semaphores_[index];
  {
    const in_call call{*this, self, acquiring_[index]};
    if (done.what == verb::acquire) {
      permit.acquire();
    } else if (!permit.try_acquire_for(units(done.amount))) {
      expect(permit.available() == 0, "an acquire overlooks a permit", self);
      return expect_due(self, call.begin, done.amount);
    }
  }
  struct gives_back {
    ~gives_back() {
      --inside;
      permit.release();
    }
    std::size_t& inside;
    fibers::semaphore& permit;
  } at_the_end{++inside_[index], permit};
  expect(inside_[index] <= permits[index], "a semaphore lets too many in", self);
  sleep(self, done.what == verb::acquire ? done.amount : 1);
}

}  // namespace random_programs
