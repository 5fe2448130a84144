// local: streams over Unix-domain sockets, and calls that all sockets have.
#include <fibers/local.hpp>

#include <sys/un.h>

#include <boost/asio/ip/unicast.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include <tests/fibers/tcp_fixture.hpp>
#include <tests/scratch_folder.hpp>

namespace local = fibers::local;

namespace {

struct local_fixture : scheduler_fixture {
  scratch_folder folder;
  std::string path = (folder.path() / "socket").string();
};

// An address whose sun_path holds exactly `bytes`.
struct raw_address {
  explicit raw_address(const std::string& bytes)
      : length{static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + bytes.size())} {
    name.sun_family = AF_UNIX;
    bytes.copy(name.sun_path, sizeof name.sun_path);
  }
  const sockaddr* generic() const { return reinterpret_cast<const sockaddr*>(&name); }
  sockaddr_un name{};
  socklen_t length;
};

descriptor raw_local_socket() {
  return descriptor{checked(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket")};
}

// Connects until the backlog is full. Returns the connections.
std::vector<descriptor> fill_backlog(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  std::vector<descriptor> waiting;
  for (;;) {
    descriptor next{checked(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "")};
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);
    if (::connect(next.get(), generic, sizeof address) != 0) return waiting;
    waiting.push_back(std::move(next));
  }
}

void send_with_descriptor(const descriptor& to, std::string bytes) {
  iovec part{bytes.data(), bytes.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  auto* const passed = CMSG_FIRSTHDR(&message);
  passed->cmsg_level = SOL_SOCKET;
  passed->cmsg_type = SCM_RIGHTS;
  passed->cmsg_len = CMSG_LEN(sizeof(int));
  const int descriptor = to.get();
  std::memcpy(CMSG_DATA(passed), &descriptor, sizeof descriptor);
  checked(static_cast<int>(::sendmsg(to.get(), &message, MSG_NOSIGNAL)), "sendmsg");
}

template <class Stream>
std::string read_some(Stream& from) {
  std::string bytes(100, '\0');
  bytes.resize(from.read_some(asio::buffer(bytes)));
  return bytes;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(paths, local_fixture)

BOOST_AUTO_TEST_CASE(two_fibers_talk_over_a_path) {
  local::listener listener{path};
  scheduler.spawn([&] {
    auto server = listener.accept();
    asio::write(server, asio::buffer("answer to " + read_some(server)));
  });
  scheduler.spawn([&] {
    auto client = local::connect_for(path, patience);
    asio::write(client, asio::buffer("question", 8));
    BOOST_TEST(read_some(client) == "answer to question");
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(a_pair_of_sockets_becomes_two_streams) {
  std::array<int, 2> ends{};
  checked(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), "socketpair");
  scheduler.spawn([&] {
    auto left = local::stream::from_descriptor(ends[0]);
    auto right = local::stream::from_descriptor(ends[1]);
    asio::write(left, asio::buffer("hello", 5));
    BOOST_TEST(read_some(right) == "hello");
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(connecting_waits_while_the_backlog_is_full) {
  local::listener listener{path, 1};
  auto waiting = fill_backlog(path);
  scheduler.spawn("accepts", [&] {
    this_fiber::sleep_for(10ms);
    for (std::size_t i = 0; i < waiting.size(); ++i) listener.accept();
    auto last = listener.accept();
    BOOST_TEST(read_some(last) == "hello");
  });
  scheduler.spawn("connects", [&] {
    auto client = local::connect(path);
    asio::write(client, asio::buffer("hello", 5));
  });
  scheduler.run();
}

// A receive stops after bytes that carry a descriptor, although the socket has more bytes.
BOOST_AUTO_TEST_CASE(descriptors_that_come_with_the_bytes_are_dropped_and_all_bytes_arrive) {
  connection passing;
  passing.stream.expires_after(patience);
  scheduler.spawn([&] {
    for (const std::string expected : {"abcdef", "ghijkl"}) {
      std::string bytes(6, '\0');
      asio::read(passing.stream, asio::buffer(bytes));
      BOOST_TEST(bytes == expected);
    }
  });
  scheduler.spawn([&] {
    for (const std::string bytes : {"abcdef", "ghijkl"}) {
      this_fiber::sleep_for(5ms);
      send_with_descriptor(passing.far, bytes.substr(0, 3));
      send_all(passing.far, bytes.substr(3));
    }
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(a_path_that_is_too_long_closes_what_was_open) {
  local::listener listener{path};
  scheduler.spawn([&] {
    auto client = local::connect(path);
    error_code error;
    client.connect(std::string(200, 'x'), error);
    BOOST_TEST(error == boost::system::errc::filename_too_long);
    BOOST_TEST(!client.is_open());
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(an_empty_path_and_one_with_a_nul_are_refused) {
  using namespace std::string_literals;
  scheduler.spawn([&] {
    for (const auto& wrong : {""s, path + "\0"s, path + "\0.x"s, "a\0b"s}) {
      error_code error;
      local::listener listener;
      listener.listen(wrong, 1, error);
      BOOST_TEST(error == boost::system::errc::invalid_argument);
      BOOST_TEST(!listener.is_open());
      local::stream stream;
      stream.connect(wrong, error);
      BOOST_TEST(error == boost::system::errc::invalid_argument);
      BOOST_TEST(!stream.is_open());
    }
  });
  scheduler.run();
  BOOST_TEST(!std::filesystem::exists(path));
}

// A name of one byte, one with NULs in it, and one of every byte that fits.
BOOST_AUTO_TEST_CASE(an_abstract_name_is_what_other_programs_take_it_for) {
  const auto unique = '\0' + path;
  const auto longest = unique + std::string(108 - unique.size(), 'x');
  const auto with_nul = unique + std::string{"\0b", 2};
  for (const auto& name : {unique, with_nul, longest}) {
    const raw_address same{name};
    scheduler.spawn([&] {
      local::listener listener{name};
      const auto client = raw_local_socket();
      checked(::connect(client.get(), same.generic(), same.length), "connect");
      auto server = listener.accept();
      send_all(client, "hello");
      BOOST_TEST(read_some(server) == "hello");
    });
    scheduler.run();
    const auto elsewhere = raw_local_socket();
    checked(::bind(elsewhere.get(), same.generic(), same.length), "bind");
    checked(::listen(elsewhere.get(), 1), "listen");
    scheduler.spawn([&] {
      auto client = local::connect(name);
      BOOST_TEST(client.is_open());
    });
    scheduler.run();
  }
  error_code error;
  local::listener listener;
  listener.listen(longest + 'x', 1, error);
  BOOST_TEST(error == boost::system::errc::filename_too_long);
}

BOOST_AUTO_TEST_CASE(a_stream_that_was_moved_from_has_no_limit) {
  local::listener listener{path};
  scheduler.spawn([&] {
    auto first = local::connect(path);
    first.expires_after(0ms);
    auto second = std::move(first);
    char byte = 0;
    error_code error;
    second.read_some(asio::buffer(&byte, 1), error);
    BOOST_TEST(error == asio::error::timed_out);
    second.write_some(asio::buffer("x", 1), error);
    BOOST_TEST(error == asio::error::timed_out);
    first.connect(path, error);
    BOOST_TEST(!error);
  });
  scheduler.run();
}

// The backlog is full, so the call sleeps between two tries.
BOOST_AUTO_TEST_CASE(a_connect_to_a_path_that_is_cancelled_closes_the_stream) {
  const local::listener listener{path, 1};
  const auto waiting = fill_backlog(path);
  local::stream client;
  auto connecting = scheduler.spawn([&] { client.connect(path); });
  scheduler.spawn([&] {
    this_fiber::sleep_for(5ms);
    BOOST_TEST(client.is_open());
    connecting.cancel();
    BOOST_CHECK_THROW(connecting.join(), fibers::cancelled);
    BOOST_TEST(!client.is_open());
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(a_connect_to_a_path_is_aborted_by_the_streams_cancel) {
  const local::listener listener{path, 1};
  const auto waiting = fill_backlog(path);
  local::stream client;
  error_code error;
  auto connecting = scheduler.spawn([&] { client.connect(path, error); });
  scheduler.spawn([&] {
    this_fiber::sleep_for(5ms);
    client.cancel();
    connecting.join();
    BOOST_TEST(error == asio::error::operation_aborted);
    BOOST_TEST(!client.is_open());
  });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(connecting_has_a_deadline) {
  const local::listener listener{path, 1};
  const auto waiting = fill_backlog(path);
  scheduler.spawn([&] {
    const auto timed_out = [](const boost::system::system_error& thrown) {
      return thrown.code() == asio::error::timed_out;
    };
    BOOST_CHECK_EXCEPTION(local::connect_for(path, 10ms), boost::system::system_error, timed_out);
  });
  scheduler.run();
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_FIXTURE_TEST_SUITE(sockets, tcp_fixture)

BOOST_AUTO_TEST_CASE(a_released_descriptor_is_the_callers_and_the_stream_is_closed) {
  talk([](tcp::stream& server) { BOOST_TEST(read_exactly(server, 5) == "hello"); },
       [](tcp::stream& client) {
         const descriptor mine{client.release()};
         BOOST_TEST(!client.is_open());
         BOOST_TEST(client.release() == -1);
         send_all(mine, "hello");
       });
}

BOOST_AUTO_TEST_CASE(a_released_descriptor_can_become_a_stream_again) {
  talk([](tcp::stream& server) { write(server, read_exactly(server, 5)); },
       [](tcp::stream& client) {
         auto again = tcp::stream::from_descriptor(client.release());
         write(again, "hello");
         BOOST_TEST(read_exactly(again, 5) == "hello");
       });
}

BOOST_AUTO_TEST_CASE(cancelled_calls_are_aborted_and_the_socket_stays_open) {
  talk([](tcp::stream& server) { write(server, read_exactly(server, 1)); },
       [&](tcp::stream& client) {
         error_code error;
         auto reading = scheduler.spawn([&] {
           char byte = 0;
           client.read_some(asio::buffer(&byte, 1), error);
         });
         auto accepting = scheduler.spawn([&] {
           error_code aborted;
           listener.accept(aborted);
           return aborted;
         });
         this_fiber::sleep_for(1ms);
         client.cancel();
         listener.cancel();
         reading.join();
         BOOST_TEST(error == asio::error::operation_aborted);
         BOOST_TEST(accepting.join() == asio::error::operation_aborted);
         write(client, "x");
         BOOST_TEST(read_exactly(client, 1) == "x");
       });
}

BOOST_AUTO_TEST_CASE(listeners_have_options_and_those_of_ipv6_are_set_on_ipv6) {
  int value = 0;
  socklen_t length = sizeof value;
  listener.set_option(asio::ip::unicast::hops{7});
  ::getsockopt(listener.native_handle(), IPPROTO_IP, IP_TTL, &value, &length);
  BOOST_TEST(value == 7);
  const int six = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (six < 0) {
    BOOST_TEST_MESSAGE("skipped for IPv6: this machine has none");
    return;
  }
  auto stream = tcp::stream::from_descriptor(six);
  stream.set_option(asio::ip::unicast::hops{9});
  ::getsockopt(six, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &value, &length);
  BOOST_TEST(value == 9);
}

BOOST_AUTO_TEST_CASE(connecting_by_address_may_have_a_deadline) {
  scheduler.spawn([&] { listener.accept(); });
  scheduler.spawn([&] { BOOST_TEST(tcp::connect_for("127.0.0.1", port, patience).is_open()); });
  scheduler.run();
}

BOOST_AUTO_TEST_CASE(waiting_for_a_descriptor_has_a_deadline) {
  const tcp_pair peers;
  scheduler.spawn([&] {
    BOOST_TEST(!this_fiber::wait_readable_for(peers.near.get(), 5ms));
    BOOST_TEST(this_fiber::wait_writable_for(peers.near.get(), patience));
    send_all(peers.far, "x");
    BOOST_TEST(this_fiber::wait_readable_for(peers.near.get(), patience));
  });
  scheduler.run();
}

BOOST_AUTO_TEST_SUITE_END()
