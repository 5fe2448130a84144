// print_fibers: lists all fibers and where they are suspended.
//
//     fibers::print_fibers(scheduler.tasks(), stderr);
//
//     fiber 1, parked, "listener"
//     ./server(_ZN6fibers6socket6acceptE...+0x8b)[0x55d0c8a4f2ab]
//     ...
//
// fibers.gdb.py shows the same from outside of the process, and for a core dump.
#pragma once

#include <fibers/task_queue.hpp>

#include <cstdio>

namespace fibers {

// Prints number, state and name of every fiber that has not ended, and its backtrace unless it is
// running or has not begun. Precondition: the caller is on the thread of the queue, in a fiber or
// between rounds. Functions have names if the program was linked with -rdynamic; addr2line finds
// the lines.
void print_fibers(task_queue& tasks, std::FILE* to);

}  // namespace fibers
