// this_fiber: what a fiber of a scheduler can ask for and say of itself.
//
//     fibers::this_fiber::yield();
//     fibers::this_fiber::sleep_for(1ms);
#pragma once

#include <fibers/timer_queue.hpp>

#include <cstdint>
#include <stop_token>
#include <string_view>

// What a fiber says of itself. Outside of a fiber these throw std::logic_error.
namespace fibers::this_fiber {

// Lets every other ready fiber run first.
void yield();

// Blocks the fiber; never shorter than asked. No time left: yields.
void sleep_for(clock::duration duration);
void sleep_until(clock::time_point moment);

std::uint64_t get_id();
std::string_view get_name();
std::stop_token get_stop_token();

// Blocks until a read (a write) of the descriptor would not: of a pipe, a signalfd, an eventfd, a
// terminal, a socket that a stream reads. The descriptor stays as it is. Throws std::system_error.
void wait_readable(int descriptor);
void wait_writable(int descriptor);

// False: the time came first.
bool wait_readable_for(int descriptor, clock::duration duration);
bool wait_writable_for(int descriptor, clock::duration duration);

}  // namespace fibers::this_fiber
