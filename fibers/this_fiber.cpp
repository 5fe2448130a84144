#include <fibers/error.hpp>
#include <fibers/scheduler.hpp>
#include <fibers/this_fiber.hpp>

#include <cerrno>
#include <stdexcept>

namespace fibers::this_fiber {
namespace {

// The scheduler whose fiber is running. Throws std::logic_error outside of a fiber.
scheduler& here() {
  auto& current = scheduler::current();
  if (current.tasks().current() == nullptr) throw std::logic_error{"only a fiber can do this"};
  return current;
}

fiber& self() {
  return *here().tasks().current();
}

bool wait_for(operation::kind readiness, int descriptor, time_limit* limit = nullptr) {
  blocking_operation ready{readiness, descriptor};
  here().blocking().perform(ready, limit);
  if (ready.error() == ETIMEDOUT && limit != nullptr) return false;
  if (ready.error() != 0) throw_error(ready.error(), "wait for a descriptor");
  return true;
}

bool wait_until(operation::kind readiness, int descriptor, clock::time_point moment) {
  time_limit limit;
  limit.at(moment, here().timers());  // what has passed already still looks once
  return wait_for(readiness, descriptor, &limit);
}

}  // namespace

void yield() {
  here().tasks().yield();
}

void sleep_for(clock::duration duration) {
  if (duration <= clock::duration::zero()) return yield();
  sleep_until(deadline_after(duration));
}

void sleep_until(clock::time_point moment) {
  auto& tasks = here().tasks();
  time_limit nap;
  nap.at(moment, tasks.timers());
  while (!nap.passed()) {
    tasks.check_cancelled();
    nap.park(tasks);
  }
}

std::uint64_t get_id() {
  return self().id();
}
std::string_view get_name() {
  return self().name();
}
std::stop_token get_stop_token() {
  return self().get_stop_token();
}

void wait_readable(int descriptor) {
  wait_for(operation::kind::wait_readable, descriptor);
}
void wait_writable(int descriptor) {
  wait_for(operation::kind::wait_writable, descriptor);
}
bool wait_readable_until(int descriptor, clock::time_point moment) {
  return wait_until(operation::kind::wait_readable, descriptor, moment);
}
bool wait_writable_until(int descriptor, clock::time_point moment) {
  return wait_until(operation::kind::wait_writable, descriptor, moment);
}

}  // namespace fibers::this_fiber
