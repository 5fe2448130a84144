// this_fiber: what the running fiber of a scheduler can call for itself.
//
//     fibers::this_fiber::yield();
//     fibers::this_fiber::sleep_for(1ms);
#pragma once

#include <fibers/error.hpp>
#include <fibers/time/deadline.hpp>

#include <cstdint>
#include <stop_token>
#include <string_view>

// Outside of a fiber these functions throw std::logic_error. The blocking ones throw `cancelled` if
// the fiber is cancelled.
namespace fibers::this_fiber {

// Lets every other ready fiber run first.
void yield();

// Block the fiber for at least that long. If no time is left, sleep_for() yields.
void sleep_for(clock::duration duration);
void sleep_until(clock::time_point moment);
template <class Rep, class Period>
void sleep_for(const std::chrono::duration<Rep, Period>& duration) {
  sleep_for(saturating_cast(duration));
}
template <class Clock, class Duration>
void sleep_until(const std::chrono::time_point<Clock, Duration>& moment) {
  sleep_until(deadline_at(moment));
}

std::uint64_t get_id();
std::string_view get_name();
std::stop_token get_stop_token();

// Block the fiber until a read (a write) of the descriptor would not block: of a pipe, a signalfd,
// an eventfd, a terminal, or a socket that a stream reads. They change nothing about the
// descriptor. At most one fiber may wait for reading and one for writing at a time, and a fiber in
// a read, an accept or a write on the same descriptor counts as well; a second one gets EBUSY.
// Others may have read meanwhile, and io_uring sometimes reports an epoll descriptor for no reason:
// code that must not block reads a non-blocking descriptor and expects EAGAIN.
void wait_readable(int descriptor, error_code& error);
void wait_readable(int descriptor);
void wait_writable(int descriptor, error_code& error);
void wait_writable(int descriptor);

// The same with a time limit. False: it passed first, or there is an error. Zero: looks once.
[[nodiscard]] bool wait_readable_until(int descriptor, clock::time_point moment, error_code& error);
[[nodiscard]] bool wait_readable_until(int descriptor, clock::time_point moment);
[[nodiscard]] bool wait_writable_until(int descriptor, clock::time_point moment, error_code& error);
[[nodiscard]] bool wait_writable_until(int descriptor, clock::time_point moment);
template <class Clock, class Duration, class... Error>
[[nodiscard]] bool wait_readable_until(int descriptor,
                                       const std::chrono::time_point<Clock, Duration>& moment,
                                       Error&... error) {
  return wait_readable_until(descriptor, deadline_at(moment), error...);
}
template <class Clock, class Duration, class... Error>
[[nodiscard]] bool wait_writable_until(int descriptor,
                                       const std::chrono::time_point<Clock, Duration>& moment,
                                       Error&... error) {
  return wait_writable_until(descriptor, deadline_at(moment), error...);
}
template <class Rep, class Period, class... Error>
[[nodiscard]] bool wait_readable_for(int descriptor,
                                     const std::chrono::duration<Rep, Period>& duration,
                                     Error&... error) {
  return wait_readable_until(descriptor, deadline_after(duration), error...);
}
template <class Rep, class Period, class... Error>
[[nodiscard]] bool wait_writable_for(int descriptor,
                                     const std::chrono::duration<Rep, Period>& duration,
                                     Error&... error) {
  return wait_writable_until(descriptor, deadline_after(duration), error...);
}

}  // namespace fibers::this_fiber
