// A socket that a fiber destroys while another one is in a call on it: the call ends, and does not
// touch what was there.
#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <fibers/local.hpp>
#include <tests/fibers/tcp_fixture.hpp>
#include <tests/fibers/waits.hpp>

namespace local = fibers::local;

namespace {

// An object that leaves its memory behind, so that a late look or write is seen.
template <class T>
class perishable {
 public:
  template <class... Arguments>
  explicit perishable(Arguments&&... arguments)
      : object_{new (memory_.data()) T(std::forward<Arguments>(arguments)...)} {}
  ~perishable() {
    if (!gone()) perish();
  }
  perishable(const perishable&) = delete;
  perishable& operator=(const perishable&) = delete;

  T& operator*() const { return *object_; }
  T* operator->() const { return object_; }
  bool gone() const { return object_ == nullptr; }
  void perish() {
    std::exchange(object_, nullptr)->~T();
    memory_.fill(junk);
  }
  // Nobody has written to it since.
  bool untouched() const {
    return gone() && std::ranges::all_of(memory_, [](auto byte) { return byte == junk; });
  }

 private:
  static constexpr unsigned char junk = 0xEE;
  alignas(T) std::array<unsigned char, sizeof(T)> memory_{};
  T* object_;
};

struct destroyed : scheduler_fixture {
  using any_call = std::function<void(error_code&)>;
  using stream_call = std::function<void(tcp::stream&, error_code&)>;

  // Makes the call on a fiber, destroys the socket while it waits, and returns the call's error.
  template <class Socket>
  error_code of(perishable<Socket>& socket, const any_call& waiting) {
    error_code error;
    bool ended = false;
    auto calling = scheduler.spawn("caller", [&] {
      waiting(error);
      ended = true;
    });
    auto destroying = scheduler.spawn("destroyer", [&] {
      const waits seen;
      while (seen.sleeps() < 3) this_fiber::sleep_for(1ms);
      BOOST_TEST(!ended);
      socket.perish();
    });
    scheduler.run();
    BOOST_TEST(ended);
    BOOST_TEST(socket.untouched());
    return error;
  }

  // A stream with the far end in `far`.
  void open(perishable<tcp::stream>& stream) { stream->assign(::dup(ends.near.get())); }
  tcp_pair ends;
};

constexpr auto aborted = asio::error::operation_aborted;
const std::string much(16 << 20, 'x');

}  // namespace

BOOST_FIXTURE_TEST_SUITE(destroying, destroyed)

BOOST_AUTO_TEST_CASE(a_read_ends) {
  perishable<tcp::stream> stream;
  std::array<char, 8> bytes;
  BOOST_TEST(of(stream, [&](error_code& error) {
               open(stream);
               stream->read_some(asio::buffer(bytes), error);
             }) == aborted);
}

BOOST_AUTO_TEST_CASE(a_read_into_two_buffers_ends) {
  perishable<tcp::stream> stream;
  std::array<char, 8> bytes;
  const std::array<asio::mutable_buffer, 2> both{asio::buffer(bytes, 4), asio::buffer(bytes) + 4};
  BOOST_TEST(of(stream, [&](error_code& error) {
               open(stream);
               stream->read_some(both, error);
             }) == aborted);
}

BOOST_AUTO_TEST_CASE(a_read_under_a_limit_ends) {
  perishable<tcp::stream> stream;
  std::array<char, 8> bytes;
  BOOST_TEST(of(stream, [&](error_code& error) {
               open(stream);
               stream->expires_when_idle(patience);
               stream->read_some(asio::buffer(bytes), error);
             }) == aborted);
}

BOOST_AUTO_TEST_CASE(a_write_of_much_ends) {
  perishable<tcp::stream> stream;
  BOOST_TEST(of(stream, [&](error_code& error) {
               open(stream);
               asio::write(*stream, asio::buffer(much), error);
             }) == aborted);
}

BOOST_AUTO_TEST_CASE(a_write_of_two_buffers_ends) {
  perishable<tcp::stream> stream;
  const std::array<asio::const_buffer, 2> both{asio::buffer(much), asio::buffer(much)};
  BOOST_TEST(of(stream, [&](error_code& error) {
               open(stream);
               asio::write(*stream, both, error);
             }) == aborted);
}

// io_uring copies what is written, so that these wait. On the others the kernel has it all.
BOOST_AUTO_TEST_CASE(flush_shutdown_and_release_end, *boost::unit_test::precondition([](auto) {
                       return boost::test_tools::assertion_result{keeps_bytes()};
                     })) {
  const std::vector<stream_call> all{
      [](tcp::stream& stream, error_code& error) { stream.flush(error); },
      [](tcp::stream& stream, error_code& error) {
        stream.shutdown(asio::socket_base::shutdown_send, error);
      },
      [](tcp::stream& stream, error_code& error) { std::ignore = stream.release(error); }};
  for (const auto& each : all) {
    ends = {};
    perishable<tcp::stream> stream;
    BOOST_TEST(of(stream, [&](error_code& error) {
                 open(stream);
                 fill(ends.near);
                 stream->write_some(asio::buffer("x", 1));
                 each(*stream, error);
               }) == aborted);
  }
}

BOOST_AUTO_TEST_CASE(an_accept_ends) {
  perishable<tcp::listener> listener{"127.0.0.1", std::uint16_t{0}};
  BOOST_TEST(of(listener, [&](error_code& error) { listener->accept(error); }) == aborted);
}

BOOST_AUTO_TEST_CASE(an_accept_that_waits_for_a_descriptor_ends) {
  perishable<tcp::listener> listener{"127.0.0.1", std::uint16_t{0}};
  const auto client = connected_to(listener->local_endpoint().port());
  const descriptor_limit limit;
  BOOST_TEST(of(listener, [&](error_code& error) {
               limit.use_up();
               listener->accept(error);
             }) == aborted);
}

// Both sleep until there is a descriptor. The one that began first ends, and the other goes on.
BOOST_AUTO_TEST_CASE(an_accept_ends_before_one_that_began_after_it) {
  perishable<tcp::listener> listener{"127.0.0.1", std::uint16_t{0}};
  const auto port = listener->local_endpoint().port();
  const auto one = connected_to(port), other = connected_to(port);
  const descriptor_limit limit;
  int ended = 0;
  for (const auto begin : {0ms, 2ms})
    scheduler.spawn([&, begin] {
      if (begin > 0ms) this_fiber::sleep_for(begin);
      auto error = error_code{EBUSY, boost::system::system_category()};
      while (error.value() == EBUSY) {  // the other one has not yet met that there is none
        const auto accepted = listener->accept(error);
        if (error) this_fiber::sleep_for(1ms);
      }
      BOOST_TEST(!error);
      if (++ended == 2) listener.perish();
    });
  limit.use_up();
  scheduler.spawn("rescuer", [&] {
    this_fiber::sleep_for(4ms);
    limit.put_back();
  });
  scheduler.run();
  BOOST_TEST(ended == 2);
  BOOST_TEST(listener.untouched());
}

BOOST_AUTO_TEST_CASE(a_connect_ends) {
  const full_listener silent;
  perishable<tcp::stream> stream;
  BOOST_TEST(of(stream, [&](error_code& error) { stream->connect(silent.endpoint(), error); }) ==
             aborted);
}

BOOST_AUTO_TEST_CASE(a_connect_to_a_path_whose_backlog_is_full_ends) {
  const std::string path{"\0destroyed_socket", 17};
  const auto own = path + std::to_string(::getpid());
  const local::listener listener{own, 0};
  local::stream first;
  perishable<local::stream> stream;
  BOOST_TEST(of(stream, [&](error_code& error) {
               first.connect(own);
               stream->connect(own, error);
             }) == aborted);
}

BOOST_AUTO_TEST_CASE(a_connect_that_its_scheduler_unwinds_later_leaves_the_stream_alone) {
  const full_listener silent;
  perishable<tcp::stream> stream;
  {
    fibers::scheduler dying{backend()};
    dying.spawn([&] { stream->connect(silent.endpoint()); });
    dying.spawn([] {
      this_fiber::sleep_for(1ms);
      throw std::runtime_error{"leave run()"};
    });
    BOOST_CHECK_THROW(dying.run(), std::runtime_error);
    stream.perish();
  }
  BOOST_TEST(stream.untouched());
}

// Both fibers wake in the same round. Which one runs first depends on the numbers of their
// descriptors, or on which byte came first.
BOOST_AUTO_TEST_CASE(a_read_that_is_done_already_delivers) {
  int first = 0;
  for (const bool has_smaller_number : {true, false}) {
    perishable<tcp::stream> stream;
    std::optional<local_pair> signal;
    if (has_smaller_number) signal.emplace();
    open(stream);
    if (!has_smaller_number) signal.emplace();
    error_code error;
    char byte = 0;
    std::size_t size = 0;
    bool ended = false;
    scheduler.spawn("destroyer", [&] {
      this_fiber::wait_readable(signal->far.get());
      if (!ended) ++first;
      stream.perish();
    });
    scheduler.spawn("reader", [&] {
      size = stream->read_some(asio::buffer(&byte, 1), error);
      ended = true;
    });
    scheduler.spawn("sender", [&] {
      this_fiber::sleep_for(3ms);
      send_all(signal->near, "x");
      send_all(ends.far, "y");
    });
    scheduler.run();
    BOOST_TEST(stream.untouched());
    if (error) {  // io_uring: the byte lay in the ring's buffer
      BOOST_TEST(error == aborted);
    } else {
      BOOST_TEST(size == 1U);
      BOOST_TEST(byte == 'y');
    }
    ends = {};
  }
  BOOST_TEST(first > 0);
}

// A read that has met the end brings no byte and no error of its own.
BOOST_AUTO_TEST_CASE(a_read_that_has_met_the_end_is_told_that_its_stream_has_gone) {
  int first = 0;
  for (const bool has_smaller_number : {true, false}) {
    perishable<tcp::stream> stream;
    std::optional<local_pair> signal;
    if (has_smaller_number) signal.emplace();
    open(stream);
    if (!has_smaller_number) signal.emplace();
    error_code error;
    char byte = 0;
    bool ended = false;
    scheduler.spawn("destroyer", [&] {
      this_fiber::wait_readable(signal->far.get());
      if (!ended) ++first;
      stream.perish();
    });
    scheduler.spawn("reader", [&] {
      BOOST_TEST(stream->read_some(asio::buffer(&byte, 1), error) == 0U);
      BOOST_TEST(error == (stream.gone() ? aborted : error_code{asio::error::eof}));
      ended = true;
    });
    scheduler.spawn("sender", [&] {
      this_fiber::sleep_for(3ms);
      send_all(signal->near, "x");
      ends.far = {};
    });
    scheduler.run();
    BOOST_TEST(ended);
    BOOST_TEST(stream.untouched());
    ends = {};
  }
  BOOST_TEST(first > 0);
}

// A fiber whose operations complete without waiting gives way now and then.
BOOST_AUTO_TEST_CASE(calls_that_give_way_after_they_are_done_do_not_look_back) {
  char byte = 0;
  const std::array<asio::mutable_buffer, 2> parts{asio::buffer(&byte, 1), asio::buffer(&byte, 1)};
  const std::vector<stream_call> all{
      [&](tcp::stream& stream, error_code& error) {
        stream.read_some(asio::buffer(&byte, 1), error);
      },
      [&](tcp::stream& stream, error_code& error) { stream.read_some(parts, error); },
      [&](tcp::stream& stream, error_code& error) {
        stream.write_some(asio::buffer("x", 1), error);
      },
      [&](tcp::stream& stream, error_code& error) { stream.write_some(parts, error); },
      [&](tcp::stream& stream, error_code& error) { stream.flush(error); },
  };
  for (const auto& each : all) {
    ends = {};
    send_all(ends.far, std::string(10'000, 'y'));
    perishable<tcp::stream> stream;
    error_code error;
    int calls = 0;
    scheduler.spawn("caller", [&] {
      open(stream);
      for (; !stream.gone() && !error && calls < 3'000; ++calls) each(*stream, error);
    });
    scheduler.spawn("destroyer", [&] { stream.perish(); });
    scheduler.run();
    BOOST_TEST(calls < 3'000);
    BOOST_TEST((!error || error == aborted));
    BOOST_TEST(stream.untouched());
  }
}

BOOST_AUTO_TEST_CASE(an_accept_that_gives_way_after_it_is_done_does_not_look_back) {
  perishable<tcp::listener> listener{"127.0.0.1", std::uint16_t{0}};
  const auto port = listener->local_endpoint().port();
  std::vector<descriptor> clients;
  for (int i = 0; i < 40; ++i) clients.push_back(connected_to(port));
  int accepted = 0;
  error_code error;
  scheduler.spawn("caller", [&] {
    for (; !listener.gone() && !error; ++accepted) listener->accept(error);
  });
  scheduler.spawn("destroyer", [&] { listener.perish(); });
  scheduler.run();
  BOOST_TEST(accepted < 40);
  BOOST_TEST((!error || error == aborted));
  BOOST_TEST(listener.untouched());
}

BOOST_AUTO_TEST_SUITE_END()
