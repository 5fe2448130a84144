// valgrind: tells Valgrind what it cannot see: which memory is a stack, and what the kernel fills.
//
// Without this, Valgrind takes a switch between two stacks for one deep call, and memcheck reports
// hundreds of errors that are none. The requests are a few instructions each, from Valgrind's own
// header (Debian's package `valgrind` has it); nothing is linked, and without Valgrind they do
// nothing. None of them stands where a message or a switch passes. Where the library was built
// without the header, valgrind_absent.cpp takes the place of valgrind.cpp.
#pragma once

#include <cstddef>

namespace fibers::valgrind {

// The program runs under Valgrind, and the library can talk to it.
bool is_running() noexcept;

// [bottom, top) is a stack. When the stack pointer moves there from elsewhere, that is a switch.
void register_stack(const std::byte* bottom, const std::byte* top) noexcept;

// The stack is free. Its next user may write everywhere, and must read only what it has written.
void forget_contents(const std::byte* bottom, const std::byte* top) noexcept;

// The kernel will fill these bytes through io_uring, where Valgrind sees no call that does.
void expect_kernel_to_fill(const std::byte* bytes, std::size_t size) noexcept;

}  // namespace fibers::valgrind
