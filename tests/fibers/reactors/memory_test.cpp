// Memory runs out during a call of a reactor: no descriptor leaks, and the reactor still works.
#include <fcntl.h>
#include <malloc.h>

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <iterator>
#include <new>

#include <tests/fibers/reactors/reactor_fixture.hpp>

using kind = operation::kind;

namespace {

constexpr int unlimited = -1;
int allocations_left = unlimited;
std::size_t bytes_in_use = 0;

void* allocate(std::size_t size, std::size_t alignment) {
  if (allocations_left == 0) throw std::bad_alloc{};
  if (allocations_left > 0) --allocations_left;
  void* memory = nullptr;
  if (::posix_memalign(&memory, alignment, size) != 0) throw std::bad_alloc{};
  bytes_in_use += ::malloc_usable_size(memory);
  return memory;
}

[[gnu::noinline]] void release(void* memory) noexcept {
  bytes_in_use -= ::malloc_usable_size(memory);
  std::free(memory);
}

std::ptrdiff_t count_descriptors() {
  return std::distance(std::filesystem::directory_iterator{"/proc/self/fd"}, {});
}

}  // namespace

// These replace the standard library's operators. They are not inlined, because the compiler warns
// if it inlines free() into a function that calls new.
void* operator new(std::size_t size) {
  return allocate(size, alignof(std::max_align_t));
}
void* operator new(std::size_t size, std::align_val_t alignment) {
  return allocate(size, static_cast<std::size_t>(alignment));
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  release(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  release(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::align_val_t) noexcept {
  release(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t, std::align_val_t) noexcept {
  release(memory);
}

BOOST_AUTO_TEST_CASE(a_reactor_that_cannot_be_made_leaves_no_descriptor) {
  const auto before = count_descriptors();
  bool made = false;
  for (int successes = 0; !made; ++successes) {
    allocations_left = successes;
    try {
      made = fibers::make_reactor(backend()) != nullptr;
    } catch (const std::bad_alloc&) {
    }
    allocations_left = unlimited;
  }
  BOOST_TEST(count_descriptors() == before);
}

// Each descriptor is twice as high as the last, so the reactor's tables must grow. Some of them
// have grown when memory runs out. A sanitizer reports it if the next poll reads past the end of
// the others.
BOOST_FIXTURE_TEST_CASE(a_descriptor_that_cannot_be_adopted_disturbs_no_other, reactor_fixture) {
  int lowest = 20;
  for (int successes = 0; successes < 6; ++successes, lowest *= 2) {
    const descriptor high{::fcntl(near.get(), F_DUPFD_CLOEXEC, lowest)};
    allocations_left = successes;
    const int error = reactor->adopt(high.get());
    allocations_left = unlimited;
    BOOST_TEST((error == 0 || error == ENOMEM));
    request next{kind::receive, near.get(), 100};
    start(next);
    send_all(far, "hello");
    finish(next);
    BOOST_TEST(next.text() == "hello");
    reactor->forget(high.get());
  }
}

// 300 buffers of 16 KiB are 4.7 MiB; 64 of them may stay.
BOOST_AUTO_TEST_CASE(the_send_buffers_of_a_crowd_are_given_back_when_it_leaves) {
  const auto reactor = fibers::make_reactor(backend());
  std::deque<local_pair> crowd(300);
  const auto before = bytes_in_use;
  for (int turn = 0; turn < 3; ++turn) {
    for (const auto& each : crowd) {
      BOOST_REQUIRE(reactor->adopt(each.near.get()) == 0);
      request send{kind::send, each.near.get(), "x"};
      BOOST_REQUIRE(reactor->submit(send));
    }
    reactor->drain();
    for (const auto& each : crowd) {
      BOOST_REQUIRE(receive_all(each.far, 1) == "x");
      reactor->forget(each.near.get());
    }
    BOOST_TEST(bytes_in_use < before + 2'000'000);
  }
}
