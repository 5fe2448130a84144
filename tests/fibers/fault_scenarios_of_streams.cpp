// Faults strike streams: echoes of several kinds, resets, ends and descriptors from elsewhere.
#include <fibers/fiber_handle.hpp>
#include <fibers/local.hpp>
#include <fibers/nursery.hpp>
#include <fibers/test.hpp>

#include <tests/fibers/fault_scenarios.hpp>
#include <tests/fibers/scheduler_fixture.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <numeric>
#include <string>
#include <utility>

namespace {

namespace asio = boost::asio;
using boost::system::error_code;

template <class Stream>
void echo(Stream& stream) {
  std::array<char, 400> buffer;
  error_code error;
  stream.expires_after(long_enough);
  while (const auto got = stream.read_some(asio::buffer(buffer), error)) {
    asio::write(stream, asio::buffer(buffer.data(), got), error);
    if (error) break;
  }
}

template <class Stream>
void ask(Stream& stream, outcome& result) {
  std::array<char, 1000> sent, got{};
  std::iota(sent.begin(), sent.end(), '\0');
  stream.expires_after(long_enough);
  for (int i = 0; i < 2 && !result.failed; ++i) {
    error_code error;
    asio::write(stream, asio::buffer(sent), error);
    result.fails_if(error);
    const auto read = asio::read(stream, asio::buffer(got), error);
    result.fails_if(error);
    result.expect(
        std::equal(got.begin(), got.begin() + static_cast<std::ptrdiff_t>(read), sent.begin()));
    result.expect(result.failed || read == sent.size());
  }
}

template <class Listener>
void serve_one(Listener& listener, outcome& result) {
  report(result, [&] {
    error_code error;
    listener.expires_after(long_enough);
    auto stream = listener.accept(error);
    result.fails_if(error);
    if (!error) echo(stream);
  });
  listener.close();
}

template <class World>
void tcp_echo_in(World& world, outcome& result) {
  fibers::tcp::listener listener{"127.0.0.1", 0};
  const auto port = listener.local_endpoint().port();
  world.spawn("server", [&] { serve_one(listener, result); });
  world.spawn("client", [&] {
    report(result, [&] {
      error_code error;
      auto stream = fibers::tcp::connect_for("127.0.0.1", port, long_enough, error);
      result.fails_if(error);
      if (error) return;
      stream.set_option(asio::ip::tcp::no_delay{true}, error);
      result.fails_if(error);
      ask(stream, result);
      stream.shutdown(asio::socket_base::shutdown_send, error);
      result.fails_if(error);
    });
  });
  world.run();
}

void tcp_echo(outcome& result) {
  fibers::scheduler scheduler{backend()};
  tcp_echo_in(scheduler, result);
}

// Its reactor is another one, so only one run of this program needs it.
void simulated_echo(outcome& result) {
  if (backend() != fibers::io::select) return;
  fibers::test::simulation world;
  world.spawn("pair", [&] {
    report(result, [&] {
      auto [near, far] = world.pair();
      const std::array parts{asio::buffer("he", 2), asio::buffer("llo", 3)};
      asio::write(near, parts);
      std::array<char, 5> got{};
      asio::read(far, asio::buffer(got));
      result.expect(std::string_view{got.data(), got.size()} == "hello");
    });
  });
  tcp_echo_in(world, result);
}

void unix_echo(outcome& result) {
  static std::array<char, 64> path;  // each process has its own
  const struct removes_it {
    ~removes_it() { ::unlink(path.data()); }
  } removes;
  *fmt::format_to_n(path.data(), path.size() - 1, "/tmp/faults.{}", ::getpid()).out = '\0';
  fibers::scheduler scheduler{backend()};
  fibers::local::listener listener{path.data()};
  scheduler.spawn("server", [&] { serve_one(listener, result); });
  scheduler.spawn("client", [&] {
    report(result, [&] {
      auto stream = fibers::local::connect_for(path.data(), long_enough);
      ask(stream, result);
    });
  });
  scheduler.run();
}

// A descriptor that a stream may take.
struct owned {
  explicit owned(int descriptor) : number{descriptor} {}
  owned(owned&& other) noexcept : number{std::exchange(other.number, -1)} {}
  owned& operator=(owned&&) = delete;
  ~owned() {
    if (number >= 0) ::close(number);
  }
  int number;
};

fibers::local::stream taken(owned& by) {
  auto stream = fibers::local::stream::from_descriptor(by.number);
  by.number = -1;
  return stream;
}

// More bytes than the kernel takes at once, and a reader that begins late.
void large_write(outcome& result) {
  static const std::string large(1 << 20, 'x');
  static std::string got(large.size(), ' ');
  fibers::scheduler scheduler{backend()};
  std::array<int, 2> ends{};
  checked(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), "socketpair");
  owned mine{ends[0]}, far{ends[1]};
  scheduler.spawn("writer", [&] {
    report(result, [&] {
      error_code error;
      auto stream = taken(mine);
      stream.expires_after(long_enough);
      asio::write(stream, asio::buffer(large), error);
      result.fails_if(error);
    });
  });
  scheduler.spawn("reader", [&] {
    report(result, [&] {
      error_code error;
      auto stream = taken(far);
      this_fiber::sleep_for(1ms);
      stream.expires_after(long_enough);
      const auto size = asio::read(stream, asio::buffer(got), error);
      if (error != asio::error::eof) result.fails_if(error);
      result.expect(result.failed || size == large.size());
    });
  });
  scheduler.run();
}

// A message in the error queue of its socket wakes a reader that finds no bytes.
void error_queue(outcome& result) {
  fibers::scheduler scheduler{backend()};
  fibers::tcp::listener listener{"127.0.0.1", 0};
  const auto port = listener.local_endpoint().port();
  scheduler.spawn("reads", [&] {
    report(result, [&] {
      auto stream = fibers::tcp::connect_for("127.0.0.1", port, long_enough);
      stream.expires_after(long_enough);
      const int on = 1;
      ::setsockopt(stream.native_handle(), SOL_SOCKET, SO_ZEROCOPY, &on, sizeof on);
      ::sendto(stream.native_handle(), "a", 1, MSG_ZEROCOPY | MSG_NOSIGNAL, nullptr, 0);
      std::array<char, 5> got{};
      asio::read(stream, asio::buffer(got));
      result.expect(std::string_view{got.data(), got.size()} == "hello");
    });
  });
  scheduler.spawn("answers", [&] {
    report(result, [&] {
      listener.expires_after(long_enough);
      auto stream = listener.accept();
      stream.expires_after(long_enough);
      char byte = 0;
      stream.read_some(asio::buffer(&byte, 1));
      this_fiber::sleep_for(1ms);
      asio::write(stream, asio::buffer("hello", 5));
    });
  });
  scheduler.run();
}

// A descriptor comes from elsewhere and goes there again.
void hand_over(outcome& result) {
  fibers::scheduler scheduler{backend()};
  std::array<int, 2> ends{};
  checked(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), "socketpair");
  owned mine{ends[0]};
  const descriptor far{ends[1]};
  scheduler.spawn("hands over", [&] {
    report(result, [&] {
      auto stream = taken(mine);
      stream.expires_after(long_enough);
      asio::write(stream, asio::buffer("hello", 5));
      error_code error;
      const int released = stream.release(error);
      result.fails_if(error);
      if (error) return;
      ::close(released);
      std::array<char, 5> got{};  // recvfrom() has no faults
      const auto size = ::recvfrom(far.get(), got.data(), got.size(), 0, nullptr, nullptr);
      result.expect(std::string_view{got.data(), got.size()} == "hello" && size == 5);
    });
  });
  scheduler.run();
}

std::pair<owned, owned> pair_of_sockets() {
  std::array<int, 2> ends{};
  checked(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), "socketpair");
  return {owned{ends[0]}, owned{ends[1]}};
}

// Connects, and asks an echo server one question. With `resets`, leaves in the midst of it.
void visit(std::uint16_t port, bool resets, outcome& result) {
  error_code error;
  auto stream = fibers::tcp::connect_for("127.0.0.1", port, long_enough, error);
  result.fails_if(error);
  if (error) return;
  if (!resets) return ask(stream, result);
  stream.write_some(asio::buffer("half", 4), error);
  stream.set_option(asio::socket_base::linger{true, 0}, error);
  stream.close();
}

// Many clients at once, of which every third resets its connection.
void crowd_with_resets(outcome& result) {
  constexpr int clients = 6;
  fibers::scheduler scheduler{backend()};
  fibers::tcp::listener listener{"127.0.0.1", 0};
  const auto port = listener.local_endpoint().port();
  scheduler.spawn("server", [&] {
    report(result, [&] {
      fibers::nursery sessions;
      listener.expires_after(long_enough);
      for (int i = 0; i < clients; ++i) {
        error_code error;
        auto stream = listener.accept(error);
        result.fails_if(error);
        if (error) break;
        sessions.spawn("session", [stream = std::move(stream)]() mutable { echo(stream); });
      }
      sessions.join();
    });
    listener.close();
  });
  for (int i = 0; i < clients; ++i)
    scheduler.spawn("client", [&, i] { report(result, [&] { visit(port, i % 3 == 2, result); }); });
  scheduler.run();
}

// A peer that says all, shuts down, and then reads what the other says until the end.
void half_close(outcome& result) {
  fibers::scheduler scheduler{backend()};
  auto [near, far] = pair_of_sockets();
  const std::string question(3000, 'q'), answer(5000, 'a');
  std::string heard(question.size(), ' '), got(answer.size(), ' ');
  scheduler.spawn("answers", [&, &near = near] {
    report(result, [&] {
      auto stream = taken(near);
      stream.expires_after(long_enough);
      error_code error;
      char beyond = 0;
      const auto size = asio::read(stream, asio::buffer(heard), error);
      result.fails_if(error);
      result.expect(result.failed || (size == question.size() && heard == question));
      if (error) return;
      result.expect(stream.read_some(asio::buffer(&beyond, 1), error) == 0);
      asio::write(stream, asio::buffer(answer), error);
      result.fails_if(error);
      stream.flush(error);
      result.fails_if(error);
    });
  });
  scheduler.spawn("asks", [&, &far = far] {
    report(result, [&] {
      auto stream = taken(far);
      stream.expires_after(long_enough);
      error_code error;
      asio::write(stream, asio::buffer(question), error);
      result.fails_if(error);
      stream.shutdown(asio::socket_base::shutdown_send, error);
      result.fails_if(error);
      const auto size = asio::read(stream, asio::buffer(got), error);
      result.fails_if(error);
      result.expect(result.failed || (size == answer.size() && got == answer));
    });
  });
  scheduler.run();
}

// Messages in several pieces, into buffers that are cut elsewhere.
void scattered(outcome& result) {
  constexpr int messages = 6;
  fibers::scheduler scheduler{backend()};
  auto [near, far] = pair_of_sockets();
  scheduler.spawn("writes", [&, &near = near] {
    report(result, [&] {
      auto stream = taken(near);
      stream.expires_after(long_enough);
      for (int i = 0; i < messages && !result.failed; ++i) {
        const std::array pieces{asio::buffer("one", 3), asio::buffer("and two", 7),
                                asio::buffer("three", 5)};
        error_code error;
        asio::write(stream, pieces, error);
        result.fails_if(error);
        this_fiber::yield();
      }
    });
  });
  scheduler.spawn("reads", [&, &far = far] {
    report(result, [&] {
      auto stream = taken(far);
      stream.expires_after(long_enough);
      for (int i = 0; i < messages && !result.failed; ++i) {
        std::array<char, 6> first{};
        std::array<char, 9> second{};
        error_code error;
        const std::array pieces{asio::buffer(first), asio::buffer(second)};
        asio::read(stream, pieces, error);
        result.fails_if(error);
        result.expect(result.failed || (std::string_view{first.data(), 6} == "oneand" &&
                                        std::string_view{second.data(), 9} == " twothree"));
      }
    });
  });
  scheduler.run();
}

std::pair<descriptor, std::uint16_t> bound_socket() {
  descriptor opened{checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket")};
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof where;
  auto* generic = reinterpret_cast<sockaddr*>(&where);
  checked(::bind(opened.get(), generic, length), "bind");
  checked(::getsockname(opened.get(), generic, &length), "getsockname");
  return {std::move(opened), ntohs(where.sin_port)};
}

// Takes a copy of the listening socket over.
void serve_some(const descriptor& opened, int clients, outcome& result) {
  report(result, [&] {
    fibers::stream_listener listener;
    owned copy{::dup(opened.get())};
    error_code error;
    listener.assign(copy.number, error);
    result.fails_if(error);
    if (error) return;
    copy.number = -1;
    for (int i = 0; i < clients && !result.failed; ++i) {
      listener.expires_after(long_enough);
      auto stream = listener.accept(error);
      result.fails_if(error);
      if (!error) echo(stream);
    }
  });
}

// A socket that listens already, as a supervisor hands it over.
void take_over(outcome& result) {
  constexpr int clients = 2;
  fibers::scheduler scheduler{backend()};
  const auto [opened, port] = bound_socket();
  checked(::listen(opened.get(), 10), "listen");
  scheduler.spawn("server", [&, &opened = opened] { serve_some(opened, clients, result); });
  scheduler.spawn("client", [&, port = port] {
    for (int i = 0; i < clients && !result.failed; ++i)
      report(result, [&] { visit(port, false, result); });
  });
  scheduler.run();
}

// A bound socket refuses connections until it listens.
void refused_at_first(outcome& result) {
  fibers::scheduler scheduler{backend()};
  const auto [opened, where] = bound_socket();
  const fibers::tcp::endpoint there{asio::ip::address_v4::loopback(), where};
  scheduler.spawn("client", [&, &opened = opened] {
    report(result, [&] {
      for (int i = 0; i < 3; ++i) {
        fibers::tcp::stream stream;
        error_code error;
        stream.connect(there, error);
        result.expect(error.failed() && !stream.is_open());
      }
      checked(::listen(opened.get(), 10), "listen");
      fibers::nursery children;
      children.spawn("server", [&] { serve_some(opened, 1, result); });
      visit(there.port(), false, result);
      children.join();
    });
  });
  scheduler.run();
}

}  // namespace

std::span<const fault_scenario> stream_scenarios() {
  static constexpr std::array all{fault_scenario{"tcp_echo", tcp_echo},
                                  fault_scenario{"simulated_echo", simulated_echo},
                                  fault_scenario{"unix_echo", unix_echo},
                                  fault_scenario{"large_write", large_write},
                                  fault_scenario{"error_queue", error_queue},
                                  fault_scenario{"hand_over", hand_over},
                                  fault_scenario{"crowd_with_resets", crowd_with_resets},
                                  fault_scenario{"half_close", half_close},
                                  fault_scenario{"scattered", scattered},
                                  fault_scenario{"take_over", take_over},
                                  fault_scenario{"refused_at_first", refused_at_first}};
  return all;
}
