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
#include <memory>
#include <new>

#include <tests/fibers/reactors/reactor_fixture.hpp>
#if __has_include(<liburing.h>)
#include <fibers/reactors/io_uring.hpp>
#endif

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

namespace {

// Uses up descriptors, so that the next one does not fit into the reactor's tables.
struct high_descriptors {
  high_descriptors() {
    for (int i = 0; i < 300; ++i) held.emplace_back(checked(::dup(STDIN_FILENO), "dup"));
  }
  std::deque<descriptor> held;
};

}  // namespace

BOOST_FIXTURE_TEST_CASE(a_connection_for_which_there_is_no_memory_leaves_the_listener_in_order,
                        reactor_fixture) {
  using namespace std::chrono_literals;
  const listening_socket listener;
  BOOST_REQUIRE(reactor->adopt(listener.socket.get()) == 0);
  operation accept{kind::accept, listener.socket.get()};
  start(accept);
  poll(0ns);
  const high_descriptors held;
  const auto before = count_descriptors();
  const auto first = connected_to(listener.port);
  allocations_left = 0;
  poll(1ms);
  allocations_left = unlimited;
  BOOST_TEST(count_descriptors() == before + 1);
  if (accept.finished()) BOOST_TEST(accept.error() == ENOMEM);
  const auto second = connected_to(listener.port);
  operation next{kind::accept, listener.socket.get()};
  auto& pending = accept.finished() ? next : accept;
  if (&pending == &next) start(next);
  finish(pending);
  BOOST_TEST(pending.error() == 0);
  const descriptor accepted{static_cast<int>(pending.result())};
  reactor->forget(accepted.get());
  reactor->forget(listener.socket.get());
}

// select and poll then watch the connection in a set of edges, which needs memory.
BOOST_FIXTURE_TEST_CASE(an_error_queue_does_no_harm_where_no_memory_is_left, reactor_fixture) {
  using namespace std::chrono_literals;
  request receive{kind::receive, near.get(), 100};
  start(receive);
  poll(0ns);
  const high_descriptors held;
  allocations_left = 0;
  put_into_error_queue(*this);
  for (int i = 0; i < 3; ++i) poll(1ms);
  allocations_left = unlimited;
  BOOST_TEST(!receive.finished());
  send_all(far, "hello");
  finish(receive);
  BOOST_TEST(receive.text() == "hello");
}

#if __has_include(<liburing.h>)
// Unread bytes that fill half of the ring are copied aside, if there is memory for that.
BOOST_FIXTURE_TEST_CASE(unread_bytes_for_which_there_is_no_memory_stay_in_the_ring,
                        reactor_fixture) {
  using namespace std::chrono_literals;
  if (backend() != fibers::io::io_uring) return;
  reactor->forget(near.get());
  reactor = std::make_unique<fibers::io_uring_reactor>(
      fibers::io_uring_reactor::settings{.queue = 8, .buffers = 4, .most_buffers = 4});
  std::deque<tcp_pair> peers(3);
  for (const auto& pair : peers) {
    BOOST_REQUIRE(reactor->adopt(pair.near.get()) == 0);
    request first{kind::receive, pair.near.get(), std::size_t{1}};
    start(first);
    send_all(pair.far, "a");
    finish(first);
  }
  for (const auto& pair : peers) send_all(pair.far, "bc");
  allocations_left = 0;
  for (int i = 0; i < 3; ++i) poll(1ms);
  allocations_left = unlimited;
  for (const auto& pair : peers) {
    request rest{kind::receive, pair.near.get(), std::size_t{10}};
    start(rest);
    finish(rest);
    BOOST_TEST(rest.text() == "bc");
    reactor->forget(pair.near.get());
  }
  BOOST_REQUIRE(reactor->adopt(near.get()) == 0);
}
#endif
