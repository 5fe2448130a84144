#include <fibers/reactors/simulated.hpp>
#include <fibers/test.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <string>

namespace fibers::test {
namespace {

// Not the clock's epoch, so that a test can say what was an hour ago.
constexpr clock::time_point beginning{std::chrono::hours{24}};

std::string names_of_fibers(const task_queue& tasks) {
  std::string names;
  tasks.for_each([&](const fiber& each) {
    if (!names.empty()) names += ", ";
    names += each.name();
  });
  return names;
}

tcp::stream take_over(int descriptor) {
  error_code error;
  tcp::stream stream;
  stream.assign(descriptor, error);
  if (!error) return stream;
  ::close(descriptor);
  throw_error(error, "pair");
}

}  // namespace

simulation::simulation(std::uint64_t seed, std::size_t stack_size) : now_{beginning} {
  auto reactor = std::make_unique<simulated_reactor>(now_, seed);
  reactor_ = reactor.get();
  scheduler_ = std::make_unique<fibers::scheduler>(std::move(reactor),
                                                   scheduler_options{.stack_size = stack_size});
}

simulation::~simulation() {
  const virtual_clock in_force{now_};
  reactor_->never_give_up();
  scheduler_.reset();
}

void simulation::run() {
  const virtual_clock in_force{now_};
  try {
    scheduler_->run();
  } catch (const deadlock& stuck) {
    throw deadlock{stuck.what() + (": " + names_of_fibers(scheduler_->tasks()))};
  }
}

clock::duration simulation::elapsed() const noexcept {
  return now_ - beginning;
}

std::pair<tcp::stream, tcp::stream> simulation::pair() {
  if (&scheduler::current() != scheduler_.get()) {
    throw std::logic_error{"pair() needs the current scheduler to be the simulated one"};
  }
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    throw_error(errno, "socketpair");
  }
  struct closed_on_error {
    ~closed_on_error() {
      if (descriptor >= 0) ::close(descriptor);
    }
    int descriptor;
  } second{ends[1]};
  auto first = take_over(ends[0]);
  return {std::move(first), take_over(std::exchange(second.descriptor, -1))};
}

void simulation::faults(const test::faults& wanted) noexcept {
  reactor_->set(wanted);
}

std::uint64_t simulation::polls() const noexcept {
  return reactor_->polls();
}

}  // namespace fibers::test
