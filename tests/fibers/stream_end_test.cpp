// How a stream ends: each kind of end at each moment, many times.
//
// A reader gets every byte and then the end, even if the end came before the connection was
// accepted, between two reads, or while a fiber waits for bytes. A reset may discard bytes, but the
// reader always gets the reset.
//
// In most of these tests the peer is a fiber of the same thread that uses raw sockets. The reactor
// then sees all that the peer does between two polls at once.
#include <fibers/stream_socket.hpp>

#include <array>
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <filesystem>
#include <iterator>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <tests/fibers/scheduler_fixture.hpp>
#include <tests/sanitized.hpp>

namespace asio = boost::asio;
using fibers::error_code;

namespace {

constexpr int times = sanitized ? 200 : 400;
constexpr std::size_t crowd = 200;

// Longer than a read takes on any machine. A read that waits this long has failed.
constexpr auto longest_read = 3s;

enum class last_act { close, shut_down, reset };

struct ending {
  const char* name;
  std::string_view bytes;  // sent before the end
  last_act act;
  bool leaves_unread = false;  // the peer does not read what the reader wrote
  bool urgent = false;         // a byte of urgent data follows `bytes`; no read returns it

  // The error that the kernel reports to the reader.
  error_code error() const {
    if (act == last_act::reset || leaves_unread) return asio::error::connection_reset;
    return asio::error::eof;
  }
};

constexpr std::array endings{
    ending{"bytes and a close", "hello", last_act::close},
    ending{"bytes and a shutdown", "hello", last_act::shut_down},
    ending{"bytes and a reset", "hello", last_act::reset},
    ending{"bytes and a close with something unread", "hello", last_act::close, true},
    ending{"a close", "", last_act::close},
    ending{"a shutdown", "", last_act::shut_down},
    ending{"a reset", "", last_act::reset},
    ending{"bytes, urgent data and a close", "hello", last_act::close, false, true},
};

void end(descriptor& peer, const ending& how) {
  send_all(peer, how.bytes);
  if (how.urgent) ::send(peer.get(), "!", 1, MSG_OOB | MSG_NOSIGNAL);
  if (how.act == last_act::reset) return reset(peer);
  if (how.act == last_act::close) peer = descriptor{};
  if (how.act == last_act::shut_down) ::shutdown(peer.get(), SHUT_WR);
}

// A listener, and connections to it.
class place {
 public:
  explicit place(int family) : family_{family} {
    descriptor made{checked(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket")};
    const sockaddr_in any = loopback(0);
    const sockaddr nameless{AF_UNIX, {}};  // the kernel chooses an abstract name
    checked(family == AF_UNIX ? ::bind(made.get(), &nameless, sizeof nameless.sa_family)
                              : ::bind(made.get(), generic(any), sizeof any),
            "bind");
    checked(::getsockname(made.get(), address(), &length_), "getsockname");
    checked(::listen(made.get(), crowd), "listen");
    listener_.assign(checked(::dup(made.get()), "dup"));
  }

  descriptor connect() {
    descriptor client{checked(::socket(family_, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket")};
    checked(::connect(client.get(), address(), length_), "connect");
    return client;
  }

  fibers::stream_socket accept() {
    auto stream = listener_.accept();
    stream.expires_after(longest_read);
    return stream;
  }

 private:
  sockaddr* address() { return reinterpret_cast<sockaddr*>(&address_); }

  int family_;
  sockaddr_storage address_{};
  socklen_t length_ = sizeof address_;
  fibers::stream_listener listener_;
};

std::size_t count_descriptors() {
  const std::filesystem::directory_iterator open{"/proc/self/fd"};
  return static_cast<std::size_t>(std::distance(open, {}));
}

struct seen {
  std::string bytes;
  error_code error;
};

// Reads in parts of at most `room` bytes.
seen read_to_end(fibers::stream_socket& stream, std::size_t room) {
  seen all;
  std::array<char, 100> part{};
  while (const auto size = stream.read_some(asio::buffer(part.data(), room), all.error)) {
    all.bytes.append(part.data(), size);
  }
  return all;
}

// Fewer bytes than are sent, as many, or more: the reactors treat these cases differently.
std::size_t room_in(int turn) {
  return std::array<std::size_t, 3>{2, 5, 100}[static_cast<std::size_t>(turn) % 3];
}

void yield(int rounds) {
  for (int i = 0; i < rounds; ++i) this_fiber::yield();
}

// Returns what is wrong with `got`; empty if nothing is. A reset may discard bytes.
std::string fault_in(const seen& got, const std::string& expected, const ending& how) {
  const bool whole = got.bytes == expected;
  const bool may_be_cut = how.error() == asio::error::connection_reset;
  if (got.error == how.error() && (whole || (may_be_cut && expected.starts_with(got.bytes)))) {
    return {};
  }
  return "'" + got.bytes + "' of '" + expected + "', then " + got.error.message();
}

// The two ends of one connection.
struct meeting {
  fibers::scheduler& scheduler;
  place& where;
  const ending& how;
  int turn;
  descriptor peer = {};
  fibers::stream_socket stream = {};
  std::string expected = {};

  void accept() {
    peer = where.connect();
    stream = where.accept();
  }
  // Sends bytes that come before the end.
  void send(const std::string& bytes) {
    send_all(peer, bytes);
    expected += bytes;
  }
  std::string read(std::size_t size) {
    std::string bytes(size, '\0');
    error_code error;
    bytes.resize(asio::read(stream, asio::buffer(bytes), error));
    return bytes;
  }
  void leave_something_unread() {
    if (!how.leaves_unread) return;
    stream.write_some(asio::buffer("x", 1));
    stream.flush();
  }
  void end() {
    expected += how.bytes;
    ::end(peer, how);
  }
  // Lets another fiber end the stream, after it has yielded `rounds` times.
  void end_after(int rounds) {
    scheduler.spawn("ends", [this, rounds] {
      yield(rounds);
      end();
    });
  }
  std::string fault() {
    const auto got = read_to_end(stream, room_in(turn));
    auto found = fault_in(got, expected, how);
    if (found.empty() && how.act == last_act::shut_down) found = fault_of_the_close();
    close();
    return found;
  }
  // The peer can still receive, so it must see the close.
  std::string fault_of_the_close() {
    close();
    const bool told = this_fiber::wait_readable_for(peer.get(), longest_read);
    return told ? "" : "the peer is not told that the stream was closed";
  }
  // Closes with a reset. Otherwise thousands of ports would stay in TIME_WAIT.
  void close() {
    if (!stream.is_open()) return;
    const linger at_once{1, 0};
    ::setsockopt(stream.native_handle(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    stream.close();
  }
};

struct ends : scheduler_fixture {
  // The first fiber makes the library open the descriptors that it keeps.
  ends() {
    scheduler.spawn([] {});
    scheduler.run();
  }

  // Runs `fact(where, how)` for each kind of end on TCP and on Unix-domain sockets. Expects that it
  // returns no fault and leaves no descriptor open.
  template <class Fact>
  void for_each_end(Fact fact) {
    for (const int family : {AF_INET, AF_UNIX}) {
      for (const auto& how : endings) {
        const bool only_tcp = how.act == last_act::reset || how.urgent;
        if (family == AF_UNIX && only_tcp) continue;
        BOOST_TEST_CONTEXT(how.name << (family == AF_UNIX ? " by path" : " by TCP")) {
          place where{family};
          const auto before = count_descriptors();
          scheduler.spawn("reads", [&] { BOOST_TEST(fact(where, how) == ""); });
          scheduler.run();
          BOOST_TEST(count_descriptors() == before);
        }
      }
    }
  }

  // `meets(meeting)` returns what is wrong; empty if nothing is.
  template <class Meets>
  void every_end_is_heard(Meets meets, bool accepted = true) {
    for_each_end([&](place& where, const ending& how) {
      if (how.leaves_unread && !accepted) return std::string{};
      for (int turn = 0; turn < times; ++turn) {
        meeting both{scheduler, where, how, turn};
        const auto fault = meets(both);
        if (!fault.empty()) return "turn " + std::to_string(turn) + ": " + fault;
      }
      return std::string{};
    });
  }

  // Calls `come(meeting)` for each of many connections and accepts those that it has not accepted.
  // Starts a reading fiber for each, and calls `go(meetings)`. The result of go() is destroyed when
  // all readers have ended.
  template <class Come, class Go>
  void every_end_of_a_crowd_is_heard(Come come, Go go, bool accepted) {
    for_each_end([&](place& where, const ending& how) {
      if (how.leaves_unread && !accepted) return std::string{};
      for (int turn = 0; turn < times; turn += static_cast<int>(crowd)) {
        std::vector<meeting> all;
        all.reserve(crowd);
        for (std::size_t i = 0; i < crowd; ++i) {
          come(all.emplace_back(meeting{scheduler, where, how, turn + static_cast<int>(i)}));
        }
        for (auto& both : all) {
          if (!both.stream.is_open()) both.stream = where.accept();
        }
        std::string faults;
        std::vector<decltype(scheduler.spawn([] {}))> readers;
        for (auto& both : all) {
          readers.push_back(scheduler.spawn("reads", [&] {
            const auto fault = both.fault();
            if (!fault.empty()) faults += "turn " + std::to_string(both.turn) + ": " + fault + '\n';
          }));
        }
        [[maybe_unused]] const auto going = go(all);
        for (auto& reader : readers) reader.join();
        if (!faults.empty()) return faults;
      }
      return std::string{};
    });
  }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(ends_of_streams, ends)

BOOST_AUTO_TEST_CASE(an_end_that_came_before_the_connection_was_accepted_is_heard) {
  const auto meets = [](meeting& both) {
    both.peer = both.where.connect();
    both.end();
    both.stream = both.where.accept();
    return both.fault();
  };
  every_end_is_heard(meets, false);
}

BOOST_AUTO_TEST_CASE(an_end_that_comes_together_with_the_awaited_connection_is_heard) {
  const auto meets = [](meeting& both) {
    both.scheduler.spawn("connects", [&] {
      yield(both.turn % 3);
      both.peer = both.where.connect();
      both.end();
    });
    both.stream = both.where.accept();
    return both.fault();
  };
  every_end_is_heard(meets, false);
}

BOOST_AUTO_TEST_CASE(an_end_that_came_before_the_first_read_is_heard) {
  every_end_is_heard([](meeting& both) {
    both.accept();
    both.leave_something_unread();
    both.end();
    yield(both.turn % 3);
    return both.fault();
  });
}

BOOST_AUTO_TEST_CASE(an_end_that_came_between_two_reads_is_heard) {
  every_end_is_heard([](meeting& both) {
    both.accept();
    both.send("first");
    const auto read = both.read(5);
    both.leave_something_unread();
    both.end();
    yield(both.turn % 3);
    auto got = read_to_end(both.stream, room_in(both.turn));
    got.bytes.insert(0, read);
    both.close();
    return fault_in(got, both.expected, both.how);
  });
}

BOOST_AUTO_TEST_CASE(an_end_is_heard_by_a_reader_that_waits) {
  every_end_is_heard([](meeting& both) {
    both.accept();
    both.leave_something_unread();
    both.end_after(both.turn % 4);
    return both.fault();
  });
}

BOOST_AUTO_TEST_CASE(an_end_is_heard_by_a_reader_that_waits_for_its_second_message) {
  every_end_is_heard([](meeting& both) {
    both.accept();
    both.leave_something_unread();
    both.send("first");
    const auto read = both.read(5);
    both.end_after(both.turn % 4);
    auto got = read_to_end(both.stream, room_in(both.turn));
    got.bytes.insert(0, read);
    both.close();
    return fault_in(got, both.expected, both.how);
  });
}

// A reactor that receives ahead (io_uring) may have stopped receiving meanwhile.
BOOST_AUTO_TEST_CASE(an_end_that_came_while_the_reader_paused_is_heard) {
  every_end_is_heard([](meeting& both) {
    both.accept();
    both.leave_something_unread();
    both.send("first");
    const auto read = both.read(5);
    for (int i = 0; i < 5; ++i) {
      both.send("more");
      this_fiber::yield();
    }
    both.end();
    yield(both.turn % 4);
    auto got = read_to_end(both.stream, room_in(both.turn));
    got.bytes.insert(0, read);
    both.close();
    return fault_in(got, both.expected, both.how);
  });
}

BOOST_AUTO_TEST_CASE(an_end_is_heard_by_a_reader_that_has_paused_and_waits_again) {
  every_end_is_heard([](meeting& both) {
    both.accept();
    both.leave_something_unread();
    both.send("first");
    auto read = both.read(5);
    for (int i = 0; i < 5; ++i) {
      both.send("more");
      this_fiber::yield();
    }
    read += both.read(20);
    both.end_after(both.turn % 4);
    auto got = read_to_end(both.stream, room_in(both.turn));
    got.bytes.insert(0, read);
    both.close();
    return fault_in(got, both.expected, both.how);
  });
}

BOOST_AUTO_TEST_CASE(an_end_is_heard_by_a_fiber_that_waits_until_it_can_read) {
  every_end_is_heard([](meeting& both) -> std::string {
    both.accept();
    both.leave_something_unread();
    both.end_after(both.turn % 4);
    if (!this_fiber::wait_readable_for(both.stream.native_handle(), longest_read)) {
      return "waited in vain";
    }
    return both.fault();
  });
}

BOOST_AUTO_TEST_CASE(an_end_that_came_after_a_wait_and_before_the_read_is_heard) {
  every_end_is_heard([](meeting& both) -> std::string {
    both.accept();
    both.leave_something_unread();
    both.send("first");
    if (!this_fiber::wait_readable_for(both.stream.native_handle(), longest_read)) {
      return "waited in vain";
    }
    both.end();
    yield(both.turn % 3);
    return both.fault();
  });
}

BOOST_AUTO_TEST_CASE(the_ends_of_a_crowd_that_nobody_has_accepted_are_heard) {
  const auto come = [](meeting& both) {
    both.peer = both.where.connect();
    both.end();
    if (both.turn % 100 == 0) this_fiber::yield();
  };
  every_end_of_a_crowd_is_heard(
      come, [](auto&) { return 0; }, false);
}

BOOST_AUTO_TEST_CASE(the_ends_of_a_crowd_that_come_at_once_are_heard) {
  const auto come = [](meeting& both) {
    both.accept();
    both.leave_something_unread();
  };
  const auto go = [](std::vector<meeting>& all) {
    yield(3);
    for (auto& both : all) both.end();
    return 0;
  };
  every_end_of_a_crowd_is_heard(come, go, true);
}

BOOST_AUTO_TEST_CASE(the_ends_of_a_crowd_that_another_thread_brings_are_heard) {
  const auto come = [](meeting& both) {
    both.accept();
    both.leave_something_unread();
    both.expected += both.how.bytes;
  };
  const auto go = [](std::vector<meeting>& all) {
    yield(2);
    return std::jthread{[&all] {
      for (auto& both : all) ::end(both.peer, both.how);
    }};
  };
  every_end_of_a_crowd_is_heard(come, go, true);
}

BOOST_AUTO_TEST_SUITE_END()
