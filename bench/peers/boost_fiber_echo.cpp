// boost_fiber_echo: an echo server on Boost.Fiber and Asio, one fiber per connection.
//
//     boost_fiber_echo 25000
//
// The two meet as Boost.Fiber's documentation says: where its scheduler would sleep, Asio's loop
// runs.
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/fiber/algo/round_robin.hpp>
#include <boost/fiber/context.hpp>
#include <boost/fiber/fiber.hpp>
#include <boost/fiber/operations.hpp>

#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <string_view>
#include <utility>

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::string_view prefix = "GOT:";
constexpr std::size_t room = 1000;
constexpr int backlog = 4096;

class asio_scheduler : public boost::fibers::algo::round_robin {
 public:
  explicit asio_scheduler(asio::io_context& context) : context_{context} {}

  // No fiber is ready. No fiber of this program sleeps until a time, so the loop wakes them all.
  void suspend_until(const std::chrono::steady_clock::time_point&) noexcept override {
    context_.run_one();
    context_.poll();
  }

  void notify() noexcept override {}  // there is no other thread

 private:
  asio::io_context& context_;
};

// Starts an asynchronous operation and suspends this fiber until it is done. Asio calls the handler
// from its loop and never from the call that starts the operation.
template <typename Start>
std::size_t wait_for(Start start, error_code& error) {
  auto* self = boost::fibers::context::active();
  std::size_t size = 0;
  start([&](error_code result, std::size_t moved = 0) {
    error = result;
    size = moved;
    boost::fibers::context::active()->schedule(self);
  });
  self->suspend();
  return size;
}

void serve(tcp::socket socket) {
  std::array<char, prefix.size() + room> buffer;
  std::memcpy(buffer.data(), prefix.data(), prefix.size());
  error_code error;
  for (;;) {
    const auto size = wait_for(
        [&](auto done) {
          socket.async_read_some(asio::buffer(buffer) + prefix.size(), std::move(done));
        },
        error);
    if (error) return;
    wait_for(
        [&](auto done) {
          asio::async_write(socket, asio::buffer(buffer, prefix.size() + size), std::move(done));
        },
        error);
    if (error) return;
  }
}

void accept_clients(tcp::acceptor& acceptor) {
  for (;;) {
    tcp::socket socket{acceptor.get_executor()};
    error_code error;
    wait_for([&](auto done) { acceptor.async_accept(socket, std::move(done)); }, error);
    if (error) {  // mostly, descriptors have run out
      asio::steady_timer pause{acceptor.get_executor(), std::chrono::milliseconds{10}};
      wait_for([&](auto done) { pause.async_wait(std::move(done)); }, error);
      continue;
    }
    socket.set_option(tcp::no_delay{true}, error);
    try {
      boost::fibers::fiber{serve, std::move(socket)}.detach();
    } catch (const std::exception&) {  // no memory for its stack: this client ends and no other
    }
  }
}

tcp::acceptor listening_on(asio::io_context& context, unsigned short port) try {
  tcp::acceptor acceptor{context};
  acceptor.open(tcp::v4());
  acceptor.set_option(tcp::acceptor::reuse_address{true});
  acceptor.bind({asio::ip::address_v4::loopback(), port});
  acceptor.listen(backlog);
  return acceptor;
} catch (const std::exception& error) {
  std::fprintf(stderr, "boost_fiber_echo: cannot listen on 127.0.0.1:%d: %s\n", port, error.what());
  std::exit(1);
}

void run(unsigned short port) {
  asio::io_context context{1};
  const auto work = asio::make_work_guard(context);  // while a handler runs there may be no other
  auto acceptor = listening_on(context, port);
  boost::fibers::use_scheduling_algorithm<asio_scheduler>(context);
  accept_clients(acceptor);
}

}  // namespace

int main(int argc, char** argv) {
  unsigned short port = 0;
  const std::string_view text = argc == 2 ? argv[1] : "";
  const auto [end, bad] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (bad != std::errc{} || end != text.data() + text.size() || port == 0) {
    std::fputs("usage: boost_fiber_echo PORT (1 to 65535)\n", stderr);
    return 2;
  }
  try {
    run(port);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "boost_fiber_echo: %s\n", error.what());
    return 1;
  }
}
