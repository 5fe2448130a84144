// One server under hostile clients, with honest ones beside them.
//
//     hostile_test -- fibers_echo --io epoll                          200 hostile, 20 honest
//     HOSTILE_PEERS=10000 hostile_test -- fibers_echo --io epoll      and 100 honest, for longer
//
// The facts are counted: every byte is right, nobody is lost, nothing is left behind. The latency
// of the honest clients is printed, alone and beside each kind of hostility, and not tested, since
// all share the processors of the machine.
#include <fmt/format.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <list>
#include <string>
#include <utility>
#include <vector>

#include <tests/bench/contract/available_server.hpp>
#include <tests/bench/contract/echo_client.hpp>
#include <tests/bench/contract/honest_clients.hpp>
#include <tests/bench/contract/hostile_crowd.hpp>
#include <tests/bench/contract/server_process.hpp>

BOOST_TEST_GLOBAL_CONFIGURATION(available_server);

namespace {

// How many clients there are. Honest ones send a thousand messages per second, all together.
struct extent {
  std::size_t hostile = 200;
  double per_second = 1'000;  // crowd_plan::per_second
  std::size_t honest = 20;
  std::size_t messages = 3;  // of each honest client at a time
  milliseconds pause{20};
  bool timed = false;
};

extent full_extent(std::size_t hostile) {
  return {.hostile = hostile,
          .per_second = 10'000,
          .honest = 100,
          .messages = 20,
          .pause = milliseconds{100},
          .timed = true};
}

const extent& size() {
  static const extent chosen = [] {
    const auto* given = std::getenv("HOSTILE_PEERS");
    auto wanted = given == nullptr ? extent{} : full_extent(std::stoul(given));
    const server_process tried;
    // Asio and the floor accept one connection per select(), and a server with a thread per
    // connection accepts on one thread among many. On a slow machine, a storm of more than these
    // would fill their backlog.
    const bool one_per_select =
        tried.announced("io") == "select" && tried.announced("server") != "fibers";
    if (given == nullptr && (one_per_select || !tried.has_loops())) {
      wanted.per_second = 200;
    }
    if (tried.ends_at_1024()) {
      const auto most = 1'000 - wanted.honest;
      if (wanted.hostile > most) {
        BOOST_TEST_MESSAGE("its descriptors end at 1023, so the hostile clients are " << most);
        wanted.hostile = most;
      }
    }
    if (!raise_descriptor_limit(wanted.hostile + wanted.honest + 200)) {
      std::cout << "skipped: ulimit -Hn is less than the number of clients\n" << std::flush;
      std::_Exit(77);
    }
    return wanted;
  }();
  return chosen;
}

// How many clients that do not read fit into the kernel's memory for TCP, where each fills its
// buffers: some 250 KiB. With more, the kernel drops the segments of all.
std::size_t unread() {
  long least = 0, pressure = 0;
  std::ifstream{"/proc/sys/net/ipv4/tcp_mem"} >> least >> pressure;
  const auto most = static_cast<std::size_t>(pressure) / 80;
  return most == 0 ? size().hostile : std::min(size().hostile, most);
}

// What a connection may add to the server's memory: a fiber's stack, or a coroutine, and buffers.
constexpr std::size_t most_kib_per_connection = 48;

constexpr std::size_t floods = 8;

crowd_plan plan(hostility kind, std::size_t peers) {
  return {.kind = kind, .peers = peers, .per_second = size().per_second, .gives_way = size().timed};
}

std::vector<crowd_plan> all_kinds() {
  const auto part = size().hostile / 4, unread_part = std::min(part, unread() / 3);
  return {plan(hostility::silent, part),       plan(hostility::never_reading, unread_part),
          plan(hostility::slow_writing, part), plan(hostility::slow_reading, unread_part),
          plan(hostility::flooding, floods),   plan(hostility::resetting, 0)};
}

// A server, honest clients, and what they have seen.
class trial {
 public:
  using voice = server_process::voice;

  explicit trial(const arguments& extra = {"--idle-timeout", "0"}, voice speech = voice::quiet)
      : server{extra, speech},
        idle_descriptors{server.descriptors()},
        honest{server.port(), size().honest} {}

  hostile_crowd crowd(const crowd_plan& plan) const { return hostile_crowd{server.port(), plan}; }

  // Every message is answered right, and no honest client is sent away.
  round_trips talk() {
    auto trips = honest.talk(size().messages, size().pause);
    BOOST_TEST(trips.answered == size().messages * honest.size());
    BOOST_TEST(trips.ended == 0U);
    BOOST_TEST(trips.wrong == 0U);
    return trips;
  }

  void print(const std::string& beside, const round_trips& loaded) const {
    const auto p99 = loaded.quantile_us(0.99), calm_p99 = calm.quantile_us(0.99);
    BOOST_TEST_MESSAGE(fmt::format(
        "hostile: {}/{} beside {}: p50 {:.0f} -> {:.0f} us, p99 {:.0f} -> {:.0f} us, {:.1f} times",
        server.announced("server"), server.announced("io"), beside, calm.quantile_us(0.5),
        loaded.quantile_us(0.5), calm_p99, p99, p99 / calm_p99));
  }

  // A client that comes now is served, too.
  void welcome_newcomers() const {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < 10; ++i) BOOST_TEST(echoes(echo_client{server.port()}, "hello"));
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - begin;
    BOOST_TEST_MESSAGE(fmt::format("ten newcomers, one after the other: {:.1f} ms", took.count()));
  }

  // When the hostile clients have gone, nothing of them is left, and the server ends in order.
  void end() {
    BOOST_TEST(server.comes_to(idle_descriptors + honest.size()));
    const auto peak = server.peak_resident_kib();
    const auto most = 32'768 + most_kib_per_connection * (size().hostile + size().honest);
    BOOST_TEST_MESSAGE("peak memory: " << peak << " KiB");
    if (!sanitized) BOOST_TEST(peak <= static_cast<long>(most));
    talk();
    welcome_newcomers();
    server.signal(SIGTERM);
    BOOST_TEST(server.wait() == 0);
  }

  // The server's own count of the connections that the idle timeout has ended.
  std::size_t said_to_be_idle() {
    for (;;) {
      const auto line = server.read_line();
      const auto count = line.find(", of which ");
      if (line.starts_with("Loop ") && count != line.npos)
        return std::stoul(line.substr(count + 11));
    }
  }

  server_process server;
  const std::size_t idle_descriptors;
  honest_clients honest;
  const round_trips calm = talk();
};

seconds longest_wait() {
  return size().timed ? 6 * patience : patience;
}

bool comes(const hostile_crowd& crowd) {
  return hostile_crowd::wait_until([&] { return crowd.connected() >= crowd.plan().peers; },
                                   longest_wait());
}

bool is_answered(const hostile_crowd& crowd, std::size_t peers) {
  return hostile_crowd::wait_until([&] { return crowd.answered() >= peers; }, longest_wait());
}

// Without limits nobody is sent away, and what the hostile clients read is right as well.
void expect_fair_treatment(const hostile_crowd& crowd) {
  BOOST_TEST(crowd.wrong() == 0U);
  BOOST_TEST(crowd.ended() == 0U);
  BOOST_TEST_MESSAGE(crowd.connected() << " connects, " << crowd.bytes() << " bytes written");
}

void withstands(const std::string& what, const crowd_plan& plan) {
  trial one;
  {
    const auto crowd = one.crowd(plan);
    one.print(what + ", arriving", one.talk());
    BOOST_TEST(comes(crowd));
    one.print(what, one.talk());
    one.welcome_newcomers();
    if (plan.kind == hostility::slow_writing || plan.kind == hostility::flooding) {
      BOOST_TEST(is_answered(crowd, plan.peers));
    }
    expect_fair_treatment(crowd);
  }
  one.end();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(hostile)

BOOST_AUTO_TEST_CASE(peers_that_connect_and_say_nothing_keep_nobody_waiting) {
  withstands(fmt::format("{} silent peers", size().hostile),
             plan(hostility::silent, size().hostile));
}

BOOST_AUTO_TEST_CASE(peers_that_write_and_never_read_keep_nobody_waiting) {
  withstands(fmt::format("{} peers that never read", unread()),
             plan(hostility::never_reading, unread()));
}

BOOST_AUTO_TEST_CASE(peers_that_write_a_byte_now_and_then_keep_nobody_waiting) {
  withstands(fmt::format("{} slow writers", size().hostile),
             plan(hostility::slow_writing, size().hostile));
}

BOOST_AUTO_TEST_CASE(peers_that_read_a_byte_now_and_then_keep_nobody_waiting) {
  withstands(fmt::format("{} slow readers", unread()), plan(hostility::slow_reading, unread()));
}

BOOST_AUTO_TEST_CASE(a_storm_of_connects_and_resets_keeps_nobody_waiting) {
  withstands(fmt::format("{:.0f} connects and resets per second", size().per_second),
             plan(hostility::resetting, 0));
}

BOOST_AUTO_TEST_CASE(peers_that_flood_keep_nobody_waiting) {
  withstands(fmt::format("{} floods", floods), plan(hostility::flooding, floods));
}

BOOST_AUTO_TEST_CASE(all_of_them_at_once_keep_nobody_waiting) {
  trial one;
  {
    std::list<hostile_crowd> crowds;
    for (const auto& each : all_kinds()) crowds.emplace_back(one.server.port(), each);
    one.print("all of them, arriving", one.talk());
    for (const auto& crowd : crowds) BOOST_TEST(comes(crowd));
    one.print("all of them", one.talk());
    one.welcome_newcomers();
    for (const auto& crowd : crowds) expect_fair_treatment(crowd);
  }
  one.end();
}

BOOST_AUTO_TEST_CASE(no_more_are_served_than_max_connections_whoever_comes) {
  constexpr std::size_t room = 16;  // beside the honest clients
  trial one{{"--idle-timeout", "0", "--max-connections", std::to_string(size().honest + room)}};
  for (const auto& each : all_kinds()) {
    const auto crowd = one.crowd(each);
    if (each.kind == hostility::slow_writing) BOOST_TEST(is_answered(crowd, room));
    one.talk();
    BOOST_TEST(crowd.answered() <= room);
    BOOST_TEST(crowd.wrong() == 0U);
    BOOST_TEST(one.server.descriptors() <= one.idle_descriptors + one.honest.size() + room);
  }
  one.end();
}

// Whoever moves a byte within the time stays. If this program or the server stood still for longer,
// as on a busy machine, nobody can say who should have stayed.
BOOST_AUTO_TEST_CASE(the_idle_timeout_ends_those_that_stand_still_and_nobody_else) {
  constexpr milliseconds timeout{sanitized ? 3000 : 1000};
  const auto part = std::min<std::size_t>(size().hostile, 450) / 3;
  trial one{{"--idle-timeout", fmt::format("{}ms", timeout.count())},
            server_process::voice::speaking};
  {
    const auto silent = one.crowd(plan(hostility::silent, part));
    const auto unread = one.crowd(plan(hostility::never_reading, part));
    const auto slow = one.crowd(plan(hostility::slow_writing, part));
    double longest_us = 0;
    std::size_t honest_ended = 0, written = 0;
    auto moved = std::chrono::steady_clock::now();  // a slow machine needs seconds for these bytes
    while (silent.ended() + unread.ended() < 2 * part &&
           std::chrono::steady_clock::now() < moved + longest_wait()) {
      const auto now_written = unread.bytes();
      if (std::exchange(written, now_written) != now_written) {
        moved = std::chrono::steady_clock::now();
      }
      const auto trips = one.honest.talk(size().messages, milliseconds{20});
      BOOST_TEST(trips.wrong == 0U);
      honest_ended += trips.ended;
      longest_us = std::max({longest_us, trips.quantile_us(1), slow.longest_pause_us()});
    }
    BOOST_TEST(silent.ended() == part);
    BOOST_TEST(unread.ended() == part);
    if (longest_us > 1000. * timeout.count() / 2) {
      BOOST_TEST_MESSAGE("skipped: the machine stood still for half of the idle timeout");
      return;
    }
    BOOST_TEST(honest_ended == 0U);
    expect_fair_treatment(slow);
    one.server.signal(SIGTERM);
    if (one.server.announced("server") != "floor") BOOST_TEST(one.said_to_be_idle() == 2 * part);
  }
  BOOST_TEST(one.server.wait() == 0);
}

BOOST_AUTO_TEST_SUITE_END()
