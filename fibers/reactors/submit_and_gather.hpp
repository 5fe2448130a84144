// submit_and_gather: a wait of io_uring for several completions.
#pragma once

#include <liburing.h>

#include <chrono>

extern "C" {

// Submits, and waits until `wanted` completions are there or the window has passed, and then until
// there is one. Returns how many submissions the kernel took, or a negated errno value.
// Precondition: fibers_can_gather(). (liburing has this call since version 2.8, with another name.)
int fibers_submit_and_gather(io_uring* ring, unsigned wanted, std::chrono::microseconds window);

// Prepares a new ring for it. False: the kernel is older than Linux 6.12 and would ignore the
// window.
bool fibers_can_gather(io_uring* ring);
}
