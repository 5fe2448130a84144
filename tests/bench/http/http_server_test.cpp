// What every HTTP server does: http_server_test [OPTION...] -- PROGRAM [OPTION...]
#include <unistd.h>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <cstdio>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include <tests/bench/contract/echo_client.hpp>
#include <tests/bench/contract/server_process.hpp>

namespace {

using clock_type = std::chrono::steady_clock;
using namespace std::string_literals;

std::string get(const std::string& path) {
  return "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
}

std::string answer(const char* status, const char* type, const std::string& body) {
  return "HTTP/1.1 "s + status + "\r\nServer: bench\r\n" +
         (body.empty() ? "" : "Content-Type: "s + type + "\r\n") +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

const auto plaintext = answer("200 OK", "text/plain", "Hello, World!");
const auto not_found = answer("404 Not Found", "", "");

std::string json(const std::string& name) {
  return answer("200 OK", "application/json", "{\"message\":\"Hello, " + name + "!\"}");
}

// What comes until the server has closed the connection.
std::string answers_to(const server_process& server, const std::string& requests) {
  const echo_client client{server.port()};
  client.send_and_end(requests);
  return client.receive_raw();
}

// Waits for the first byte of an answer, or for the end.
bool comes_an_answer(const echo_client& client) {
  for (const auto until = clock_type::now() + patience; clock_type::now() < until; usleep(2000))
    if (client.has_reply()) return true;
  return false;
}

bool is_floor() {
  const auto& suite = boost::unit_test::framework::master_test_suite();
  return suite.argc > 1 && std::string{suite.argv[1]}.find("floor_http") != std::string::npos;
}

std::string output_of(const std::string& command) {
  std::string output;
  const std::unique_ptr<FILE, int (*)(FILE*)> pipe{popen(command.c_str(), "r"), pclose};
  for (char part[512]; pipe && std::fgets(part, sizeof part, pipe.get()) != nullptr;)
    output += part;
  return output;
}

boost::test_tools::assertion_result wrk_is_there(boost::unit_test::test_unit_id) {
  boost::test_tools::assertion_result found{!output_of("command -v wrk").empty()};
  found.message() << "wrk is not installed";
  return found;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(http_server)

// A client that others wrote.
BOOST_AUTO_TEST_CASE(wrk_is_answered_without_an_error,
                     *boost::unit_test::precondition(wrk_is_there)) {
  const server_process server;
  for (const std::string path : {"/plaintext", "/json/wrk"}) {
    const auto said =
        output_of("timeout 30 wrk -t1 -c8 -d1s http://127.0.0.1:" + std::to_string(server.port()) +
                  path + " 2>&1");
    BOOST_TEST_MESSAGE(said);
    BOOST_TEST(said.find("Requests/sec:") != said.npos);
    BOOST_TEST(said.find("Non-2xx") == said.npos);
    BOOST_TEST(said.find("Socket errors") == said.npos);
    BOOST_TEST(said.find(" 0 requests in") == said.npos);
  }
}

BOOST_AUTO_TEST_CASE(all_servers_answer_alike_byte_by_byte) {
  const server_process server;
  BOOST_TEST(answers_to(server, get("/plaintext")) == plaintext);
  BOOST_TEST(answers_to(server, get("/json/Ada")) == json("Ada"));
  const std::string longest(64, 'z');
  BOOST_TEST(answers_to(server, get("/json/" + longest)) == json(longest));
  for (const auto* path : {"/", "/plaintext/", "/json/", "/json/a-b", "/json/\xc3\xa4", "/json"})
    BOOST_TEST(answers_to(server, get(path)) == not_found, path);
  BOOST_TEST(answers_to(server, get("/json/" + longest + "z")) == not_found);
}

BOOST_AUTO_TEST_CASE(pipelined_requests_are_answered_in_their_order) {
  const server_process server;
  std::string requests, answers;
  for (int i = 0; i < 3000; ++i) {
    const auto name = std::to_string(i);
    requests += i % 3 == 0   ? get("/plaintext")
                : i % 3 == 1 ? get("/json/" + name)
                             : get("/" + name);
    answers += i % 3 == 0 ? plaintext : i % 3 == 1 ? json(name) : not_found;
  }
  BOOST_TEST((answers_to(server, requests) == answers));
}

BOOST_AUTO_TEST_CASE(a_request_may_arrive_in_pieces_of_any_size) {
  const server_process server;
  const auto requests = get("/json/one") + get("/plaintext") + get("/json/two");
  for (std::size_t cut = 1; cut < requests.size(); cut += 3) {
    const echo_client client{server.port()};
    client.send(requests.substr(0, cut));
    if (cut % 2 == 0) usleep(500);
    client.send_and_end(requests.substr(cut));
    BOOST_TEST(client.receive_raw() == json("one") + plaintext + json("two"), cut);
  }
  const echo_client client{server.port()};
  for (const char byte : requests) client.send({&byte, 1});
  client.end();
  BOOST_TEST(client.receive_raw() == json("one") + plaintext + json("two"));
}

BOOST_AUTO_TEST_CASE(an_answer_does_not_wait_for_the_rest_of_the_next_request) {
  const server_process server;
  const echo_client client{server.port()};
  client.send(get("/plaintext") + "GET /js");
  BOOST_REQUIRE(comes_an_answer(client));
  client.send_and_end("on/x HTTP/1.1\r\n\r\n");
  BOOST_TEST(client.receive_raw() == plaintext + json("x"));
}

BOOST_AUTO_TEST_CASE(a_client_that_asks_for_the_end_gets_it) {
  if (is_floor()) return;  // it skips headers
  const server_process server;
  const echo_client client{server.port()};
  client.send("GET /plaintext HTTP/1.1\r\nConnection: close\r\n\r\n" + get("/plaintext"));
  const auto raw = client.receive_raw();
  BOOST_TEST(raw.find("Connection: close\r\n") != raw.npos);
  BOOST_TEST(raw.find("Hello, World!") == raw.rfind("Hello, World!"));
}

// What comes until the end of the connection, orderly or not, while this side stays open.
std::string said_until_the_end(const echo_client& client) {
  try {
    return client.receive_raw();
  } catch (const std::system_error&) {
    return "reset";
  }
}

BOOST_AUTO_TEST_CASE(what_was_asked_before_an_error_is_answered) {
  const server_process server{{"--idle-timeout", "0s"}};
  for (const std::string& wrong :
       {"BAD\r\n\r\n"s, "GET HTTP/1.1\r\n\r\n"s, "GET /plaintext HTTP/9.9\r\n\r\n"s}) {
    const echo_client client{server.port()};
    client.send(get("/plaintext") + get("/json/x") + wrong);
    BOOST_TEST(said_until_the_end(client) == plaintext + json("x"), wrong);
    const echo_client in_two{server.port()};
    in_two.send(get("/plaintext"));
    BOOST_REQUIRE(comes_an_answer(in_two));
    in_two.send(wrong);
    BOOST_TEST(said_until_the_end(in_two) == plaintext, wrong);
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_request_ends_its_connection_and_no_other) {
  const server_process server;
  const echo_client other{server.port()};
  for (const std::string& nonsense :
       {"\r\n\r\n\r\n\r\n"s, "GET\r\n\r\n"s, "GET /plaintext HTTP/7.7\r\n\r\n"s,
        "\x16\x03\x01\r\n\r\n"s, std::string(100'000, 'x'), "GET /" + std::string(100'000, 'x'),
        "GET /plaintext HTTP/1.1\r\nX: " + std::string(100'000, 'x'),
        "POST /plaintext HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"s}) {
    const echo_client client{server.port()};
    client.is_closed_while_sending(nonsense);
    BOOST_TEST(client.is_refused(), nonsense.substr(0, 30));
  }
  other.send_and_end(get("/plaintext"));
  BOOST_TEST(other.receive_raw() == plaintext);
}

BOOST_AUTO_TEST_CASE(a_silent_client_is_ended_and_so_is_one_that_stops_in_a_request) {
  const server_process server{{"--idle-timeout", "300ms"}};
  const echo_client silent{server.port()}, halfway{server.port()}, later{server.port()};
  halfway.send("GET /plain");
  later.send(get("/plaintext"));
  BOOST_TEST(silent.is_refused());
  BOOST_TEST(halfway.is_refused());
  BOOST_TEST(later.is_refused());
}

BOOST_AUTO_TEST_CASE(a_client_that_never_reads_costs_bounded_memory) {
  const server_process server{{"--idle-timeout", "1s"}};
  BOOST_TEST(answers_to(server, get("/plaintext")) == plaintext);
  BOOST_REQUIRE(server.falls_asleep());
  const auto before = server.descriptors();
  std::string requests;
  while (requests.size() < 1 << 20) requests += get("/json/someone");
  const echo_client stuck{server.port(), "127.0.0.1", 65536};
  try {
    for (int i = 0; i < 8 && stuck.send_until_stuck(requests) == requests.size();) ++i;
  } catch (const std::system_error&) {  // it was closed as idle meanwhile
  }
  if (!sanitized) BOOST_TEST(server.peak_resident_kib() < 40'000);
  BOOST_TEST(answers_to(server, get("/plaintext")) == plaintext);
  BOOST_TEST(server.comes_to(before));  // the stuck one was idle
}

BOOST_AUTO_TEST_CASE(clients_that_leave_at_once_leave_nothing_behind) {
  const server_process server;
  BOOST_TEST(answers_to(server, get("/plaintext")) == plaintext);
  BOOST_REQUIRE(server.falls_asleep());
  const auto before = server.descriptors();
  for (int i = 0; i < 100; ++i) {
    echo_client leaving{server.port()};
    leaving.send(i % 2 == 0 ? get("/plaintext") + get("/plaintext") : "GET /p");
    if (i % 4 < 2) leaving.reset();
  }
  BOOST_TEST(server.comes_to(before));
}

BOOST_DATA_TEST_CASE(a_drain_answers_what_has_come, (std::vector{"1", "2"}), threads) {
  server_process server{{"--threads", threads}};
  const echo_client idle{server.port()}, asking{server.port()};
  idle.send(get("/plaintext"));
  BOOST_REQUIRE(comes_an_answer(idle));
  BOOST_REQUIRE(server.falls_asleep());
  server.signal(SIGSTOP);
  asking.send(get("/json/late") + get("/plaintext"));
  server.signal(SIGTERM);
  server.signal(SIGCONT);
  BOOST_TEST(asking.receive_raw() == json("late") + plaintext);
  BOOST_TEST(idle.receive_raw() == plaintext);
  BOOST_TEST(server.wait() == 0);
}

BOOST_AUTO_TEST_CASE(two_threads_answer_many_clients, *several_threads) {
  server_process server{{"--threads", "2"}};
  for (int i = 0; i < 50; ++i)
    BOOST_TEST(answers_to(server, get("/json/n" + std::to_string(i))) ==
               json("n" + std::to_string(i)));
  server.signal(SIGTERM);
  BOOST_TEST(server.wait() == 0);
}

BOOST_AUTO_TEST_CASE(options_of_an_echo_are_refused) {
  for (const auto* option : {"--prefix", "--buffer", "--ack"}) {
    const auto refused = run_server({option, "1000"});
    BOOST_TEST(refused.exit_code == 2);
    BOOST_TEST(refused.errors.find(option + " is not offered by this server"s) !=
               std::string::npos);
  }
  const auto help = run_server({"--help"});
  BOOST_TEST(help.output.find("An HTTP server: GET /plaintext") != std::string::npos);
  BOOST_TEST(help.output.find("--prefix") == std::string::npos);
  BOOST_TEST(help.output.find("--idle-timeout") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
