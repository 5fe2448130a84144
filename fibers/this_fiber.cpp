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

// False: the limit passed first, or there is an error.
bool wait(operation::kind readiness, int descriptor, time_limit* limit, error_code& error) {
  blocking_operation ready{readiness, descriptor};
  here().blocking().perform(ready, limit);
  const bool too_late = ready.error() == ETIMEDOUT;
  error = code_of(too_late ? 0 : ready.error());
  return ready.error() == 0;
}

bool wait_until(operation::kind readiness, int descriptor, clock::time_point moment,
                error_code& error) {
  time_limit limit;
  limit.at(moment, here().tasks().timers());  // what has passed already still looks once
  return wait(readiness, descriptor, &limit, error);
}

void throw_if(const error_code& error) {
  if (error) throw_error(error, "wait for a descriptor");
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

void wait_readable(int descriptor, error_code& error) {
  wait(operation::kind::wait_readable, descriptor, nullptr, error);
}
void wait_readable(int descriptor) {
  error_code error;
  wait_readable(descriptor, error);
  throw_if(error);
}
bool wait_readable_until(int descriptor, clock::time_point moment, error_code& error) {
  return wait_until(operation::kind::wait_readable, descriptor, moment, error);
}
bool wait_readable_until(int descriptor, clock::time_point moment) {
  error_code error;
  const bool ready = wait_readable_until(descriptor, moment, error);
  throw_if(error);
  return ready;
}

void wait_writable(int descriptor, error_code& error) {
  wait(operation::kind::wait_writable, descriptor, nullptr, error);
}
void wait_writable(int descriptor) {
  error_code error;
  wait_writable(descriptor, error);
  throw_if(error);
}
bool wait_writable_until(int descriptor, clock::time_point moment, error_code& error) {
  return wait_until(operation::kind::wait_writable, descriptor, moment, error);
}
bool wait_writable_until(int descriptor, clock::time_point moment) {
  error_code error;
  const bool ready = wait_writable_until(descriptor, moment, error);
  throw_if(error);
  return ready;
}

}  // namespace fibers::this_fiber
