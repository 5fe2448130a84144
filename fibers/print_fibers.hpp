// print_fibers: what are all these fibers doing?
//
//     fibers::print_fibers(scheduler.tasks(), stderr);
//
//     fiber 1, parked, "listener"
//     ./server(_ZN6fibers6socket6acceptE...+0x8b)[0x55d0c8a4f2ab]
//     ...
//
// From outside, and of a process that has died, fibers.gdb.py shows the same.
#pragma once

#include <fibers/task_queue.hpp>

#include <cstdio>

namespace fibers {

// Number, state and name of every fiber alive, and its backtrace unless it is running or has not
// begun. Called on the thread of the queue, by a fiber or between rounds. Functions have names
// where the program was linked with -rdynamic; addr2line finds the lines.
void print_fibers(task_queue& tasks, std::FILE* to);

}  // namespace fibers
