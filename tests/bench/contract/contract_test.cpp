// The options of every server, what it prints, and how it ends.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <csignal>
#include <list>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include <tests/bench/contract/echo_client.hpp>
#include <tests/bench/contract/server_process.hpp>

namespace {

using clock_type = std::chrono::steady_clock;
using voice = server_process::voice;

// The server must exit with this code, print nothing on standard output, and print one line on
// standard error that contains each of these words.
void expect_complaint(const arguments& wrong, int exit_code, const std::vector<std::string>& words,
                      server_process::limits limited = {}) {
  const auto result = run_server(wrong, limited);
  BOOST_TEST_CONTEXT(fmt::format("{}: '{}'", fmt::join(wrong, " "), result.errors)) {
    BOOST_TEST(result.exit_code == exit_code);
    BOOST_TEST(std::count(result.errors.begin(), result.errors.end(), '\n') == 1);
    BOOST_TEST(result.output == "");
    for (const auto& word : words) BOOST_TEST((result.errors.find(word) != std::string::npos));
  }
}

// TSan adds a thread of its own once the program starts a second thread.
constexpr int sanitizer_threads = thread_sanitized ? 1 : 0;

std::string announced(const arguments& extra, const std::string& key) {
  return server_process{extra}.announced(key);
}

// What each loop says it served, once the server has been told to end.
std::vector<std::size_t> shares_of(server_process& server, std::size_t loops) {
  std::vector<std::size_t> shares;
  while (shares.size() < loops) {
    const auto line = server.read_line();
    if (line.starts_with("Loop ")) shares.push_back(std::stoul(line.substr(line.find("d ") + 2)));
  }
  return shares;
}

// A thread that serves one connection has no use for looking before it sleeps.
bool spins() {
  return server_process{}.has_loops();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(contract)

BOOST_AUTO_TEST_CASE(the_listening_line_has_every_key_in_order_and_is_true) {
  server_process server;
  BOOST_TEST(server.listening_line().starts_with(fmt::format(
      "listening host=127.0.0.1 port={} server={} io={} threads=1 buffer=1000 "
      "nodelay=1 backlog=4096 pid={}",
      server.port(), server.announced("server"), server.announced("io"), server.pid())));
  echo_client client{server.port()};
  BOOST_TEST(echoes(client, "hello"));
}

BOOST_AUTO_TEST_CASE(the_announced_io_is_what_waits) {
  server_process server;
  echo_client client{server.port()};
  BOOST_REQUIRE(echoes(client, "hello"));
  const auto io = server.announced("io");
  BOOST_TEST(server.has_descriptor("anon_inode:[eventpoll]") == (io == "epoll"));
  BOOST_TEST(server.has_descriptor("anon_inode:[io_uring]") == (io == "io_uring"));
}

BOOST_AUTO_TEST_CASE(
    where_io_uring_is_forbidden_who_insists_on_it_says_why_and_who_does_not_takes_epoll) {
  const process_limits forbidden{.io_uring = false};
  if (announced({}, "io") == "io_uring") {
    expect_complaint({"--port", "0"}, 1, {"io_uring", "Operation not permitted"}, forbidden);
  }
  if (announced({}, "server") != "fibers") return;
  server_process server{{"--io", "auto"}, voice::quiet, forbidden};
  BOOST_TEST(server.announced("io") == "epoll");
  BOOST_TEST(echoes(echo_client{server.port()}, "hello"));
}

BOOST_AUTO_TEST_CASE(a_server_that_looks_before_it_sleeps_says_so_and_serves) {
  if (!spins()) return expect_complaint({"--spin", "200us"}, 2, {"--spin", "not offered"});
  server_process server{{"--spin", "200us"}};
  BOOST_TEST(server.announced("spin") == "200us");
  echo_client first{server.port()};
  for (int i = 0; i < 20; ++i) BOOST_TEST(echoes(first, "hello"));
  echo_client second{server.port()};
  BOOST_TEST(server.falls_asleep());
  for (int i = 0; i < 20; ++i) BOOST_TEST(echoes(i % 2 == 0 ? first : second, body(2500)));
  server.signal(SIGTERM);
  BOOST_TEST(server.wait() == 0);
}

// Forty connections send at a time, and then one alone.
BOOST_AUTO_TEST_CASE(a_server_that_gathers_says_so_and_serves_who_comes_alone) {
  const auto kind = announced({}, "server");
  BOOST_TEST(announced({}, "gather").empty());
  if (kind != "fibers" && kind != "floor")
    return expect_complaint({"--gather", "50us"}, 2, {"--gather", "not offered"});
  BOOST_TEST(announced({"--gather", "off"}, "gather") == "off");
  BOOST_TEST(announced({"--gather", "auto"}, "gather").empty());
  expect_complaint({"--gather", "2s"}, 2, {"--gather", "2s", "at most 1s"});
  BOOST_TEST(announced({"--gather", "20ms"}, "gather") == "20000us");
  for (const char* window : {"20ms", "1ns"}) {
    server_process server{{"--gather", window}};
    std::list<echo_client> crowd;
    for (int i = 0; i < 40; ++i) crowd.emplace_back(server.port());
    for (int i = 0; i < 20; ++i) {
      for (auto& each : crowd) each.send("hello");
      for (auto& each : crowd) BOOST_TEST(each.receive(5).bytes == "hello");
    }
    BOOST_TEST(echoes(crowd.front(), body(2500)));
    BOOST_TEST(echoes(echo_client{server.port()}, "hello"));
    server.signal(SIGTERM);
    BOOST_TEST(server.wait() == 0);
  }
}

// Only the Asio servers have shapes. shared: all threads run one loop; per-core: each its own.
BOOST_AUTO_TEST_CASE(a_shape_is_asked_for_by_name_and_announced, *several_threads) {
  if (!announced({}, "server").starts_with("asio")) {
    return expect_complaint({"--shape", "shared"}, 2, {"--shape", "not offered"});
  }
  expect_complaint({"--shape", "round"}, 2, {"--shape", "round", "per-core, shared"});
  BOOST_TEST(announced({"--shape", "shared"}, "shape") == "");
  for (const auto* shape : {"per-core", "shared"}) {
    server_process server{{"--threads", "2", "--shape", shape}};
    BOOST_TEST(server.announced("shape") == shape);
    BOOST_TEST(server.announced("threads") == "2");
    BOOST_TEST(server.threads() == 2 + sanitizer_threads);
  }
}

BOOST_AUTO_TEST_CASE(threads_that_share_a_loop_serve_and_drain, *several_threads) {
  if (!announced({}, "server").starts_with("asio")) return;
  server_process server{{"--threads", "3", "--shape", "shared", "--idle-timeout", "20s"}};
  std::vector<echo_client> clients;
  for (int i = 0; i < 100; ++i) clients.emplace_back(server.port());
  for (int round = 0; round < 20; ++round) {
    for (const auto& client : clients) client.send(body(1500));
    for (const auto& client : clients) BOOST_TEST(client.receive(1500).bytes == body(1500));
    if (round % 4 == 0) clients.back().reset();
    if (round % 4 == 0) clients.pop_back();
  }
  for (int i = 0; i < 200; ++i) BOOST_TEST(echoes(echo_client{server.port()}, "hello"));
  server.signal(SIGTERM);
  for (const auto& client : clients) BOOST_TEST(client.receive_raw().empty());
  BOOST_TEST(server.wait() == 0);
}

BOOST_AUTO_TEST_CASE(threads_that_share_a_loop_close_what_is_idle, *several_threads) {
  if (!announced({}, "server").starts_with("asio")) return;
  const auto text = body(64 << 20);  // made before a client can be idle
  server_process server{
      {"--threads", "2", "--shape", "shared", "--idle-timeout", "500ms", "--max-connections", "2"}};
  echo_client deaf{server.port(), "127.0.0.1", 65536};
  echo_client silent{server.port()};
  echo_client waiting{server.port()};  // accepted once the server has closed one of the others
  BOOST_TEST(deaf.is_closed_while_sending(text));
  BOOST_TEST(silent.receive_raw().empty());
  BOOST_TEST(waiting.receive_raw().empty());
  BOOST_TEST(echoes(echo_client{server.port()}, "hello"));
}

BOOST_AUTO_TEST_CASE(threads_that_share_a_loop_end_though_one_client_never_reads,
                     *several_threads) {
  if (!announced({}, "server").starts_with("asio")) return;
  server_process server{
      {"--threads", "2", "--shape", "shared", "--max-connections", "2", "--drain", "300ms"}};
  echo_client stuck{server.port(), "127.0.0.1", 65536};
  stuck.send_until_stuck(body(64 << 20));
  for (int i = 0; i < 20; ++i) BOOST_TEST(echoes(echo_client{server.port()}, "hello"));
  server.signal(SIGTERM);
  BOOST_TEST(server.wait() == 0);
}

BOOST_AUTO_TEST_CASE(without_quiet_it_speaks_as_the_seed_does) {
  server_process server{{}, voice::speaking};
  echo_client client{server.port()};
  BOOST_REQUIRE(echoes(client, "hello"));
  BOOST_TEST(server.read_line() == fmt::format("Connection from ('127.0.0.1', {})", client.port()));
  client.end();
  BOOST_TEST(server.read_line() == "Connection closed");
  BOOST_TEST(server.read_line() == "Task done");
}

BOOST_AUTO_TEST_CASE(of_two_threads_each_says_how_many_connections_it_served, *several_threads) {
  if (announced({}, "server") == "floor" || !server_process{}.has_loops()) return;
  server_process server{{"--threads", "2"}, voice::speaking};
  for (int i = 0; i < 40; ++i) BOOST_REQUIRE(echoes(echo_client{server.port()}, "hello"));
  server.signal(SIGTERM);
  const auto shares = shares_of(server, 2);
  BOOST_TEST(shares[0] + shares[1] == 40U);
  BOOST_TEST(server.wait() == 0);
}

BOOST_AUTO_TEST_CASE(loops_that_are_steered_by_port_say_so_and_get_what_the_ports_ask_for,
                     *several_threads) {
  constexpr int loops = 4;
  const server_process kind;
  if (!kind.has_loops())
    return expect_complaint({"--steer", "port"}, 2, {"--steer", "not offered"});
  const bool counts = kind.announced("server") != "floor";
  server_process server{{"--threads", "4", "--steer", "port"},
                        counts ? voice::speaking : voice::quiet};
  BOOST_TEST(server.announced("steer") == "port");
  std::vector<echo_client> clients;
  for (int i = 0; i < 64; ++i)
    clients.push_back(echo_client::for_loop(i % loops, loops, server.port()));
  for (const auto& client : clients) BOOST_REQUIRE(echoes(client, body(2500)));
  server.signal(SIGTERM);
  if (counts) BOOST_TEST(shares_of(server, loops) == std::vector<std::size_t>(loops, 16));
  BOOST_TEST(server.wait() == 0);
  for (const auto& client : clients) BOOST_REQUIRE(client.receive_raw().empty());
}

BOOST_AUTO_TEST_CASE(a_server_that_steers_only_says_so_where_it_has_several_loops) {
  if (!spins()) return;
  BOOST_TEST(announced({"--threads", "2"}, "steer") == "");
  BOOST_TEST(announced({"--threads", "2", "--steer", "hash"}, "steer") == "");
  BOOST_TEST(announced({"--steer", "port"}, "steer") == "");
  if (announced({}, "server").starts_with("asio"))
    BOOST_TEST(announced({"--threads", "2", "--shape", "shared", "--steer", "port"}, "steer") ==
               "");
}

BOOST_AUTO_TEST_CASE(where_the_kernel_refuses_to_steer_the_server_says_so_and_ends) {
  if (!spins()) return;
  for (const auto* how : {"port", "turn"})
    expect_complaint(
        {"--port", "0", "--threads", "2", "--steer", how}, 1,
        {"cannot listen on 127.0.0.1", std::string{"--steer "} + how, "Operation not permitted"},
        {.steering = false});
}

BOOST_AUTO_TEST_CASE(bad_arguments_are_named_with_what_is_accepted) {
  expect_complaint({"--portt", "1"}, 2, {"--portt", "--help"});
  expect_complaint({"stray"}, 2, {"--help"});
  expect_complaint({"--port"}, 2, {"--port"});
  expect_complaint({"--port", "70000"}, 2, {"--port", "70000", "65535"});
  expect_complaint({"--buffer", "0"}, 2, {"--buffer", "1 to"});
  expect_complaint({"--threads", "two"}, 2, {"--threads accepts 1", "two"});
  expect_complaint({"--idle-timeout", "soon"}, 2, {"--idle-timeout", "soon", "30s"});
  expect_complaint({"--drain", "5"}, 2, {"--drain", "30s"});
  expect_complaint({"--io", "magic"}, 2, {"--io", "magic"});
  if (spins()) expect_complaint({"--spin", "often"}, 2, {"--spin", "often", "50us"});
  if (spins()) expect_complaint({"--ack", "1000"}, 2, {"--ack", "1000", "1024"});
  if (spins())
    expect_complaint({"--steer", "best"}, 2, {"--steer", "hash", "port", "turn", "best"});
  if (spins())
    expect_complaint({"--steer", "port", "--unix", "/tmp/echo"}, 2,
                     {"--steer accepts hash with --unix", "port"});
  expect_complaint({"--unix", ""}, 2, {"--unix", "a path"});
  expect_complaint({"--unix", "with blank"}, 2, {"--unix", "without blanks"});
  expect_complaint({"--unix", std::string(108, 'x')}, 2, {"--unix", "107"});
  expect_complaint({"--host", "nowhere"}, 2, {"--host", "nowhere", "IPv4"});
  expect_complaint({"--max-connections", "-1"}, 2, {"--max-connections", "-1"});
}

BOOST_AUTO_TEST_CASE(an_argument_with_control_characters_is_named_on_one_line_without_them) {
  expect_complaint({"--po\nrt=1"}, 2, {"--po\\x0Art"});
  expect_complaint({"--port", "1\n\x1B[31m"}, 2, {"1\\x0A\\x1B[31m"});
  expect_complaint({"--port=\xE9"}, 2, {"\\xE9"});
  for (const auto* path : {"/tmp/a\vb", "/tmp/a\fb", "/tmp/\x1B[31m", "/tmp/a\x7F"})
    expect_complaint({"--unix", path}, 2, {"--unix", "without blanks"});
}

BOOST_AUTO_TEST_CASE(an_argument_with_a_placeholder_of_the_parser_is_refused_at_once) {
  expect_complaint({"--%original_token%"}, 2, {"--%original_token%"});
  expect_complaint({"--quiet=%original_token%"}, 2, {"--quiet"});
}

BOOST_AUTO_TEST_CASE(help_lists_every_option) {
  const auto result = run_server({"--help"});
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(result.errors == "");
  for (const auto* option : {"--host", "--port", "--io", "--threads", "--prefix", "--buffer",
                             "--backlog", "--max-connections", "--idle-timeout", "--drain",
                             "--quiet", "--inject-ns", "--unix", "--version"}) {
    BOOST_TEST((result.output.find(option) != std::string::npos), option);
  }
  BOOST_TEST((result.output.find("--spin") != std::string::npos) == spins());
  BOOST_TEST((result.output.find("--ack") != std::string::npos) == spins());
  BOOST_TEST((result.output.find("--steer") != std::string::npos) == spins());
}

BOOST_AUTO_TEST_CASE(a_server_with_a_thread_per_connection_refuses_what_is_for_loops) {
  if (server_process{}.has_loops()) return;
  expect_complaint({"--threads=2"}, 2, {"--threads accepts 1, since", "'2'"});
  expect_complaint({"--io", "epoll"}, 2, {"--io accepts auto, blocking", "'epoll'"});
  expect_complaint({"--shape", "shared"}, 2, {"--shape", "not offered"});
  expect_complaint({"--ack", "4096"}, 2, {"--ack", "not offered"});
}

BOOST_AUTO_TEST_CASE(the_version_is_one_line_that_says_how_the_program_was_built) {
  const auto result = run_server({"--version", "--port", "0"});
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(result.errors == "");
  BOOST_TEST(result.output.find('\n') + 1 == result.output.size());
  for (const auto* part : {"_echo", " 0.", ", Boost 1."})
    BOOST_TEST((result.output.find(part) != std::string::npos), result.output);
}

BOOST_AUTO_TEST_CASE(a_port_in_use_is_one_clear_line, *several_threads) {
  server_process server;
  const auto port = std::to_string(server.port());
  const std::vector<std::string> words{"cannot listen on 127.0.0.1:" + port, "in use"};
  expect_complaint({"--port", port}, 1, words);
  expect_complaint({"--port", port, "--threads", "2"}, 1, words);
}

BOOST_AUTO_TEST_CASE(a_port_shared_by_threads_is_in_use_all_the_same, *several_threads) {
  server_process server{{"--threads", "2"}};
  expect_complaint({"--port", std::to_string(server.port()), "--threads", "2"}, 1, {"in use"});
}

BOOST_AUTO_TEST_CASE(an_address_of_another_machine_is_one_clear_line) {
  expect_complaint({"--host", "192.0.2.1", "--port", "0"}, 1, {"cannot listen on 192.0.2.1"});
}

// By default the 200 stacks need 8 MiB of address space each, and the limit is 1 GiB.
BOOST_AUTO_TEST_CASE(threads_that_cannot_start_are_one_clear_line,
                     *boost::unit_test::precondition(memory_can_be_limited)) {
  if (!server_process{}.has_loops()) return;
  expect_complaint({"--port", "0", "--threads", "200"}, 1, {}, {.memory = 1UL << 30});
}

BOOST_AUTO_TEST_CASE(the_end_frees_the_port_at_once) {
  std::string port;
  {
    server_process server;
    port = std::to_string(server.port());
    echo_client client{server.port()};
    BOOST_REQUIRE(echoes(client, "hello"));
    server.signal(SIGINT);
    BOOST_TEST(server.wait() == 0);
  }
  server_process next{{"--port", port}};
  BOOST_TEST(next.announced("port") == port);
}

BOOST_AUTO_TEST_CASE(a_server_that_was_killed_starts_again_at_once_on_its_port) {
  // The kernel gives no such port to a program that takes any: a test beside this one could get it.
  const auto port = std::to_string(26'000 + getpid() % 6'000);
  std::optional<server_process> server;
  // A busy kernel takes the ring of a killed process apart later, and until then the ring holds the
  // listener.
  const bool may_keep_port = announced({}, "io") == "io_uring";
  const auto start = [&](clock_type::time_point until) {
    for (;;) {
      try {
        server.emplace(arguments{"--port", port});
        return;
      } catch (const std::runtime_error&) {
        if (!may_keep_port || clock_type::now() > until) throw;
      }
    }
  };
  for (int i = 0; i < 8; ++i) {
    start(clock_type::now() + patience);
    BOOST_TEST(server->announced("port") == port);
    std::vector<echo_client> clients;
    for (int each = 0; each < 20; ++each) clients.emplace_back(server->port());
    for (const auto& client : clients) BOOST_REQUIRE(echoes(client, "hello"));
    server->signal(SIGKILL);
    BOOST_TEST(server->wait() == -SIGKILL);
  }
}

// The server is stopped while the messages and the signal arrive, so it finds all of them at once
// when it continues.
BOOST_AUTO_TEST_CASE(sigterm_answers_what_was_received_and_exits_with_zero) {
  server_process server;
  std::vector<echo_client> clients;
  for (int i = 0; i < 100; ++i) clients.emplace_back(server.port());
  for (const auto& client : clients) BOOST_REQUIRE(echoes(client, "hello"));
  server.signal(SIGSTOP);
  for (std::size_t i = 0; i < 50; ++i) clients[i].send(body(2500));
  server.signal(SIGTERM);
  server.signal(SIGCONT);
  for (std::size_t i = 0; i < 100; ++i) {
    BOOST_TEST(clients[i].receive_all().bytes == (i < 50 ? body(2500) : ""));
  }
  BOOST_TEST(server.wait() == 0);
}

BOOST_AUTO_TEST_CASE(a_connection_that_comes_together_with_sigterm_does_not_hold_up_the_end) {
  server_process server{{"--drain", "60s"}};  // longer than wait() waits
  server.signal(SIGSTOP);
  const echo_client late{server.port()};
  server.signal(SIGTERM);
  server.signal(SIGCONT);
  BOOST_TEST(server.wait() == 0);
}

BOOST_AUTO_TEST_CASE(while_it_drains_nobody_new_is_accepted) {
  server_process server{{"--buffer", "100000", "--drain", "2s"}};
  echo_client stuck{server.port(), "127.0.0.1", 65536};
  stuck.send_until_stuck(body(64 << 20));
  server.signal(SIGTERM);
  bool refused = false;
  for (const auto until = clock_type::now() + patience; !refused && clock_type::now() < until;) {
    try {
      echo_client{server.port()};
      usleep(10'000);
    } catch (const std::exception&) {
      refused = true;
    }
  }
  BOOST_TEST(refused);
  BOOST_TEST(server.wait() == 0);
}

BOOST_AUTO_TEST_CASE(a_client_that_never_reads_holds_the_end_up_no_longer_than_drain) {
  server_process server{{"--drain", "300ms"}};
  echo_client client{server.port(), "127.0.0.1", 65536};
  client.send_until_stuck(body(64 << 20));
  const auto start = clock_type::now();
  server.signal(SIGTERM);
  BOOST_TEST(server.wait() == 0);
  BOOST_TEST((clock_type::now() - start < seconds{sanitized ? 30 : 4}));
}

BOOST_AUTO_TEST_CASE(a_sigsegv_that_is_sent_ends_a_server_at_once,
                     *boost::unit_test::precondition(no_sanitizer_watches)) {
  server_process server;
  BOOST_REQUIRE(echoes(echo_client{server.port()}, "hello"));
  server.signal(SIGSEGV);
  BOOST_TEST(server.wait() == -SIGSEGV);
}

BOOST_AUTO_TEST_CASE(threads_drain_together, *several_threads) {
  server_process server{{"--threads", "2"}};
  std::vector<echo_client> clients;
  for (int i = 0; i < 20; ++i) clients.emplace_back(server.port());
  for (const auto& client : clients) BOOST_REQUIRE(echoes(client, "hello"));
  server.signal(SIGTERM);
  for (const auto& client : clients) BOOST_TEST(client.receive_raw().empty());
  BOOST_TEST(server.wait() == 0);
}

BOOST_AUTO_TEST_SUITE_END()
