// What every server of fields does: fields_server_test [OPTION...] -- PROGRAM [OPTION...]
#include <unistd.h>

#include <bench/contract/structures.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include <tests/bench/contract/echo_client.hpp>
#include <tests/bench/contract/server_process.hpp>

namespace {

using namespace std::string_literals;

bench::short_text some_text(std::mt19937& random) {
  bench::short_text text;
  text.length = static_cast<std::uint8_t>(random() % 256);
  for (std::size_t i = 0; i < text.length; ++i) text.bytes[i] = static_cast<char>(random());
  return text;
}

// Structures of any length, and the digests that they deserve.
struct conversation {
  explicit conversation(std::size_t structures, unsigned seed = 1) {
    std::mt19937 random{seed};
    bench::digests owed;
    for (std::size_t i = 0; i < structures; ++i) {
      const bench::structure each{static_cast<std::uint8_t>(random()),
                                  static_cast<std::uint8_t>(random()),
                                  static_cast<std::uint16_t>(random()),
                                  static_cast<std::uint32_t>(random()),
                                  random() * std::uint64_t{0x100000001},
                                  static_cast<double>(random()) / 7,
                                  some_text(random),
                                  some_text(random)};
      append(each);
      if (const auto digest = owed.after(each)) answers.append(digest->data(), digest->size());
    }
  }

  void append(const bench::structure& each) {
    const auto add = [&](const auto& value) {
      bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
    };
    add(each.kind), add(each.flags), add(each.port), add(each.id), add(each.time), add(each.value);
    (bytes += static_cast<char>(each.name.length)) += each.name.view();
    (bytes += static_cast<char>(each.note.length)) += each.note.view();
  }

  std::string bytes, answers;
};

std::string answers_to(const server_process& server, const std::string& bytes) {
  const echo_client client{server.port()};
  client.send_and_end(bytes);
  return client.receive_raw();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(fields_server)

BOOST_AUTO_TEST_CASE(each_64_structures_are_answered_with_their_digest) {
  const server_process server;
  for (const std::size_t structures : {0U, 1U, 63U, 64U, 65U, 5000U}) {
    const conversation talk{structures};
    BOOST_TEST((answers_to(server, talk.bytes) == talk.answers), structures);
  }
}

BOOST_AUTO_TEST_CASE(fields_may_arrive_in_pieces_of_any_size) {
  const server_process server;
  const conversation talk{64};
  for (const std::size_t piece : {1U, 2U, 3U, 7U, 100U, 1000U}) {
    const echo_client client{server.port()};
    for (std::size_t i = 0; i < talk.bytes.size(); i += piece)
      client.send(std::string_view{talk.bytes}.substr(i, piece));
    client.end();
    BOOST_TEST((client.receive_raw() == talk.answers), piece);
  }
}

BOOST_AUTO_TEST_CASE(connections_do_not_mix) {
  const server_process server;
  const conversation first{640, 1}, second{640, 2};
  const echo_client a{server.port()}, b{server.port()};
  for (std::size_t i = 0; i < std::max(first.bytes.size(), second.bytes.size()); i += 5000) {
    if (i < first.bytes.size()) a.send(std::string_view{first.bytes}.substr(i, 5000));
    if (i < second.bytes.size()) b.send(std::string_view{second.bytes}.substr(i, 5000));
  }
  a.end(), b.end();
  BOOST_TEST((a.receive_raw() == first.answers));
  BOOST_TEST((b.receive_raw() == second.answers));
}

BOOST_AUTO_TEST_CASE(a_stream_that_ends_in_a_field_ends_its_connection) {
  const server_process server;
  const conversation talk{65};
  for (std::size_t missing = 1; missing < 30; missing += 4)
    BOOST_TEST(
        (answers_to(server, talk.bytes.substr(0, talk.bytes.size() - missing)) == talk.answers));
}

BOOST_AUTO_TEST_CASE(a_client_that_stops_in_a_field_is_ended) {
  const server_process server{{"--idle-timeout", "300ms"}};
  const echo_client silent{server.port()}, halfway{server.port()};
  halfway.send("abcde");
  BOOST_TEST(silent.is_refused());
  BOOST_TEST(halfway.is_refused());
}

BOOST_DATA_TEST_CASE(a_drain_answers_what_has_come, (std::vector{"1", "2"}), threads) {
  server_process server{{"--threads", threads}};
  const conversation talk{64};
  const echo_client idle{server.port()}, sending{server.port()};
  BOOST_TEST((answers_to(server, talk.bytes) == talk.answers));
  BOOST_REQUIRE(server.falls_asleep());
  server.signal(SIGSTOP);
  sending.send(talk.bytes);
  server.signal(SIGTERM);
  server.signal(SIGCONT);
  BOOST_TEST((sending.receive_raw() == talk.answers));
  BOOST_TEST(server.wait() == 0);
}

BOOST_AUTO_TEST_CASE(two_threads_serve_many_clients, *several_threads) {
  server_process server{{"--threads", "2"}};
  for (unsigned i = 0; i < 30; ++i) {
    const conversation talk{128, i};
    BOOST_TEST((answers_to(server, talk.bytes) == talk.answers));
  }
  server.signal(SIGTERM);
  BOOST_TEST(server.wait() == 0);
}

BOOST_AUTO_TEST_CASE(clients_that_leave_at_once_leave_nothing_behind) {
  const server_process server;
  const conversation talk{64};
  BOOST_TEST((answers_to(server, talk.bytes) == talk.answers));
  BOOST_REQUIRE(server.falls_asleep());
  const auto before = server.descriptors();
  for (int i = 0; i < 60; ++i) {
    echo_client leaving{server.port()};
    leaving.send(std::string_view{talk.bytes}.substr(0, 1 + static_cast<std::size_t>(i) * 100));
    if (i % 2 == 0) leaving.reset();
  }
  BOOST_TEST(server.comes_to(before));
}

BOOST_AUTO_TEST_CASE(a_way_of_reading_that_is_none_is_refused) {
  const auto refused = run_server({"--reads", "fast"});
  BOOST_TEST(refused.exit_code == 2);
  BOOST_TEST(refused.errors.find("--reads") != std::string::npos);
  BOOST_TEST(run_server({"--buffer", "1000"}).exit_code == 2);
  BOOST_TEST(run_server({"--help"}).output.find("field by field") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
