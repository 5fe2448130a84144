#include <fibers/memory/valgrind.hpp>

#include <valgrind/memcheck.h>

namespace fibers {

bool valgrind::is_running() noexcept {
  return RUNNING_ON_VALGRIND != 0;
}

void valgrind::register_stack(const std::byte* bottom, const std::byte* top) noexcept {
  [[maybe_unused]] const auto number = VALGRIND_STACK_REGISTER(bottom, top);
}

void valgrind::forget_contents(const std::byte* bottom, const std::byte* top) noexcept {
  [[maybe_unused]] const auto done = VALGRIND_MAKE_MEM_UNDEFINED(bottom, top - bottom);
}

void valgrind::expect_kernel_to_fill(const std::byte* bytes, std::size_t size) noexcept {
  [[maybe_unused]] const auto done = VALGRIND_MAKE_MEM_DEFINED(bytes, size);
}

}  // namespace fibers
