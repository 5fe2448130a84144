#include <algorithm>
#include <filesystem>

#include <tests/fibers/random_programs/trial.hpp>

namespace random_programs {
namespace {

using namespace std::chrono_literals;
using fibers::clock;
namespace this_fiber = fibers::this_fiber;

// When the fibers that still wait are cancelled, in units of time.
constexpr int horizon = 1000;

std::size_t open_descriptors() {
  const std::filesystem::directory_iterator all{"/proc/self/fd"};
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

// The first stack opens a descriptor that the process keeps.
void make_a_stack() {
  fibers::task_queue tasks;
  tasks.spawn("first", [] {});
  tasks.run_round();
}

}  // namespace

outcome try_out(const program& tried, std::optional<fibers::io> backend) {
  make_a_stack();
  const auto before = open_descriptors();
  outcome seen = trial{tried, backend}.run();
  if (open_descriptors() != before) seen.wrong.push_back("a descriptor is left");
  return seen;
}

trial::trial(const program& tried, std::optional<fibers::io> backend)
    : program_{tried},
      backend_{backend},
      unit_{backend ? duration{20us} : duration{1ms}},
      fibers_(tried.fibers.size()) {
  if (backend) {
    own_ = std::make_unique<fibers::scheduler>(*backend);
    scheduler_ = own_.get();
  } else {
    world_ = std::make_unique<fibers::test::simulation>(tried.seed);
    world_->faults({.short_counts = tried.short_counts,
                    .delays = tried.delays,
                    .longest_delay = 5ms,
                    .resets = tried.resets,
                    .refusals = tried.resets});
    scheduler_ = &world_->scheduler();
  }
  begin_ = last_due_ = clock::now();
}

outcome trial::run() {
  try {
    open_streams();
    scheduler_->spawn("supervisor", [this] { supervise(); });
    simulated() ? world_->run() : scheduler_->run();
  } catch (const std::exception& error) {
    complain(error.what());
  } catch (...) {
    complain("an exception has left run()");
  }
  outcome_.elapsed = clock::now() - begin_;
  if (simulated()) outcome_.polls = world_->polls();
  check_end();
  return std::move(outcome_);
}

void trial::complain(const std::string& what) {
  outcome_.wrong.push_back(what);
}

void trial::expect(bool held, const char* what, int fiber) {
  if (!held) complain("fiber " + std::to_string(fiber) + ": " + what);
}

// Something was due at that time, and has happened.
void trial::note_due(time_point moment) {
  last_due_ = std::max(last_due_, moment);
}

void trial::call_ends(int fiber, time_point begin) {
  const auto& cancelled = book_of(fiber).cancelled;
  if (!simulated() || !cancelled) return;
  expect(clock::now() <= std::max(begin, *cancelled), "a cancellation did not end a call", fiber);
}

// A call that began at `begin` was to end at its deadline, and did.
void trial::expect_due(int fiber, time_point begin, int amount) {
  const auto due = begin + units(amount), now = clock::now();
  expect(now >= due, "a deadline passed too early", fiber);
  if (simulated()) expect(now <= due, "a deadline passed too late", fiber);
  note_due(due);
}

// Starts the fibers that no other fiber starts, and ends what has not ended at the horizon.
void trial::supervise() {
  start();
  everyone_.add();
  if (alive_ == 0) {
    everyone_.done();
    close_streams();
  }
  if (everyone_.wait_for(units(horizon))) return;
  note_due(begin_ + units(horizon));
  const int most_looks = simulated() ? 20 : 500;  // a busy kernel may deliver TCP late
  for (int looks = 0; looks < most_looks && !neglected().empty(); ++looks) {
    this_fiber::sleep_for(1ms);
    note_due(clock::now());
  }
  if (const auto found = neglected(); !found.empty()) complain(found);
  for (int each = 0; each < static_cast<int>(fibers_.size()); ++each) request_cancel(each);
  scheduler_->stop();
}

// What a fiber waits for although it is there; empty if there is none. A reactor has to poll before
// that is certain of streams.
std::string trial::neglected() {
  while (scheduler_->tasks().any_ready()) this_fiber::yield();
  for (std::size_t i = 0; i < fibers_.size(); ++i) {
    if (fibers_[i].joining > 0 && fibers_[i].ended != ending::none) {
      return "a fiber waits for the end of " + std::to_string(i);
    }
  }
  const auto found = neglected_waits();
  return found.empty() ? neglected_streams() : found;
}

void trial::start() {
  std::vector<bool> awaits_start(fibers_.size());
  for (const auto& actions : program_.fibers) {
    for (const auto& each : actions) {
      int count = 0;
      if (each.what == verb::spawn) count = 1;
      if (each.what == verb::group || each.what == verb::group_for) count = 1 + each.amount;
      for (int i = each.object; count > 0 && i < static_cast<int>(fibers_.size()); ++i, --count) {
        awaits_start[static_cast<std::size_t>(i)] = true;
      }
    }
  }
  for (std::size_t i = 0; i < fibers_.size(); ++i) {
    if (!awaits_start[i]) start(static_cast<int>(i));
  }
}

void trial::start(int fiber) {
  auto& book = book_of(fiber);
  if (std::exchange(book.spawned, true)) return;
  ++alive_;
  book.handle = scheduler_->spawn("f" + std::to_string(fiber), life{*this, fiber});
}

int trial::body(int fiber) {
  auto& book = book_of(fiber);
  book.running = scheduler_->tasks().current();
  try {
    for (const auto& each : program_.fibers[static_cast<std::size_t>(fiber)]) perform(fiber, each);
  } catch (const fibers::cancelled&) {
    expect(may_be_cancelled(fiber), "was cancelled, and nothing asked for that", fiber);
    book.ended = ending::cancelled;
    throw;
  } catch (const failure&) {
    book.ended = ending::failed;
    for (auto& sibling : fibers_) {
      if (book.parent < 0 || &sibling == &book || sibling.parent != book.parent) continue;
      if (sibling.ended == ending::none && !sibling.cancelled) sibling.cancelled = clock::now();
    }
    throw;
  }
  book.ended = ending::value;
  return fiber;
}

void trial::fiber_ends(int fiber) {
  auto& book = book_of(fiber);
  book.running = nullptr;
  if (book.ended == ending::none) {
    expect(may_be_cancelled(fiber), "never ran, and nothing has cancelled it", fiber);
    book.ended = ending::cancelled;
  }
  if (--alive_ > 0) return;
  everyone_.done();
  close_streams();  // or run() would wait for what nobody will read
}

bool trial::may_be_cancelled(int fiber) {
  for (; fiber >= 0; fiber = book_of(fiber).parent) {
    if (book_of(fiber).cancelled) return true;
  }
  return false;
}

void trial::request_cancel(int fiber) {
  auto& book = book_of(fiber);
  if (book.spawned && book.ended == ending::none && !book.cancelled) book.cancelled = clock::now();
}

// Leaves out a child of a nursery that has not run yet, because nothing here knows it.
void trial::cancel(int fiber) {
  auto& book = book_of(fiber);
  if (book.running == nullptr && !book.handle.joinable()) return;
  request_cancel(fiber);
  book.running != nullptr ? book.running->cancel() : book.handle.cancel();
}

void trial::perform(int self, const action& done) {
  if (perform_on_fibers(self, done) || perform_on_channel(self, done) ||
      perform_on_lock(self, done) || perform_on_counts(self, done)) {
    return;
  }
  perform_on_stream(self, done);
}

bool trial::perform_on_fibers(int self, const action& done) {
  const int other = std::clamp(done.object, 0, static_cast<int>(fibers_.size()) - 1);
  switch (done.what) {
    case verb::sleep:
      sleep(self, done.amount);
      return true;
    case verb::yield:
      this_fiber::yield();
      return true;
    case verb::spawn:
      start(other);
      return true;
    case verb::join:
      join(self, other);
      return true;
    case verb::join_for:
      join_for(self, other, done.amount);
      return true;
    case verb::cancel:
      cancel(other);
      return true;
    case verb::fail:
      throw failure{self};
    case verb::group:
    case verb::group_for:
      group(self, done);
      return true;
    case verb::generate:
      generate(self, done.amount);
      return true;
    case verb::post:
      post();
      return true;
    default:
      return false;
  }
}

void trial::sleep(int self, int amount) {
  const in_call call{*this, self};
  this_fiber::sleep_for(units(amount));
  expect_due(self, call.begin, amount);
}

void trial::generate(int self, int amount) {
  fibers::generator<int> numbers{[&](auto& yield) {
    for (int n = 0; n < amount; ++n) {
      sleep(self, 1);
      yield(n);
    }
  }};
  int expected = 0;
  for (const int n : numbers) {
    expect(n == expected++, "a generator yields something else", self);
    if (amount % 2 == 1 && n > amount / 2) return;
  }
  expect(expected == amount, "a generator has ended early", self);
}

void trial::post() {
  scheduler_->post([this, number = posted_] {
    if (ran_++ != number) complain("posts run in another order");
  });
  ++posted_;
}

void trial::join(int self, int other) {
  auto& book = book_of(other);
  if (other == self || !book.handle.joinable() || std::exchange(book.joined, true)) return;
  const in_call call{*this, self, book.joining};
  take_result(other);
}

void trial::take_result(int fiber) {
  auto& book = book_of(fiber);
  try {
    const int result = book.handle.join();
    expect(book.ended == ending::value && result == fiber, "join() returns something else", fiber);
  } catch (const failure& thrown) {
    expect(book.ended == ending::failed && thrown.fiber == fiber, "join() throws something else",
           fiber);
  } catch (const fibers::cancelled&) {
    if (book.handle.joinable()) {  // not the fiber was cancelled, but the caller
      book.joined = false;
      throw;
    }
    expect(book.ended == ending::cancelled, "join() says that it was cancelled", fiber);
  }
}

void trial::join_for(int self, int other, int amount) {
  auto& book = book_of(other);
  if (other == self || !book.handle.joinable() || book.joined) return;
  const in_call call{*this, self, book.joining};
  // Another fiber may join it meanwhile, so the handle may be empty afterwards.
  book.joined = true;
  struct again {
    ~again() { joined = false; }
    bool& joined;
  } afterwards{book.joined};
  if (book.handle.wait_for(units(amount))) {
    expect(book.ended != ending::none, "wait_for() says that a fiber has ended", self);
  } else {
    expect(book.ended == ending::none, "wait_for() overlooks an end", self);
    expect_due(self, call.begin, amount);
  }
}

void trial::group(int self, const action& done) {
  std::vector<int> members;
  const auto cancel_members = [&] {
    for (const int each : members) request_cancel(each);
  };
  const auto begin = clock::now();
  try {
    fibers::nursery children;
    for (int i = done.object; i <= done.object + done.amount; ++i) {
      if (i >= static_cast<int>(fibers_.size()) || book_of(i).spawned) continue;
      book_of(i).spawned = true;
      book_of(i).parent = self;
      ++alive_;
      members.push_back(i);
      if (!children.spawn("child", life{*this, i})) complain("a new nursery is cancelled");
    }
    if (done.what == verb::group) {
      children.join();
    } else if (!children.join_for(units(done.amount))) {
      expect_due(self, begin, done.amount);
      cancel_members();
    }
  } catch (const failure& thrown) {
    expect(book_of(thrown.fiber).parent == self, "a nursery throws what no child threw", self);
  } catch (const fibers::cancelled&) {
    for (const int each : members) {
      expect(book_of(each).ended != ending::none, "a child outlives its nursery", self);
    }
    throw;
  }
  for (const int each : members) {
    expect(book_of(each).ended != ending::none, "a child outlives its nursery", self);
  }
}

void trial::check_end() {
  for (int each = 0; each < static_cast<int>(fibers_.size()); ++each) {
    auto& book = book_of(each);
    expect(!book.spawned || book.ended != ending::none, "has not ended", each);
    if (book.handle.joinable() && book.handle.done()) take_result(each);
  }
  if (alive_ != 0 || scheduler_->tasks().any_alive()) complain("a fiber is left");
  if (ran_ != posted_) complain("a post is lost");
  check_channels();
  check_streams();
  if (!scheduler_->timers().empty()) complain("a timer is left");
  const bool exact = simulated() && program_.delays == 0;
  if (exact && begin_ + outcome_.elapsed != last_due_) {
    complain("time has moved to " + std::to_string(outcome_.elapsed / unit_) +
             " units, and the last thing was due at " +
             std::to_string((last_due_ - begin_) / unit_));
  }
}

}  // namespace random_programs
