// Every server on a Unix-domain socket.
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <filesystem>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <tests/bench/contract/echo_client.hpp>
#include <tests/bench/contract/server_process.hpp>
#include <tests/scratch_folder.hpp>

namespace {

namespace fs = std::filesystem;
using clock_type = std::chrono::steady_clock;
using voice = server_process::voice;

int bound_to(const fs::path& path) {
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.string().copy(address.sun_path, sizeof address.sun_path - 1);
  BOOST_REQUIRE(bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  return socket;
}

// A server that listens on a path in a temporary folder.
struct path_server : scratch_folder, server_process {
  explicit path_server(arguments extra = {}, voice speech = voice::quiet, limits limited = {})
      : server_process{with_path(std::move(extra)), speech, limited} {}

  fs::path socket() const { return *this / "socket"; }
  echo_client connect() const { return echo_client{socket()}; }

  // Waits until the server listens, for one that prints no listening line.
  bool listens() const {
    for (const auto until = clock_type::now() + patience; clock_type::now() < until; usleep(5000)) {
      try {
        connect();
        return true;
      } catch (const std::system_error&) {
      }
    }
    return false;
  }

  arguments with_path(arguments extra) const {
    extra.insert(extra.end(), {"--unix", socket()});
    return extra;
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(path)

BOOST_AUTO_TEST_CASE(the_listening_line_names_the_path_and_keeps_the_other_keys) {
  path_server server;
  BOOST_TEST(server.listening_line().starts_with(fmt::format(
      "listening unix={} server={} io={} threads=1 buffer=1000 nodelay=1 backlog=4096 pid={}",
      server.socket().string(), server.announced("server"), server.announced("io"), server.pid())));
  BOOST_TEST(fs::is_socket(server.socket()));
}

BOOST_AUTO_TEST_CASE(clients_on_a_path_are_served_as_on_a_port) {
  path_server server;
  std::vector<echo_client> clients;
  for (int i = 0; i < 50; ++i) clients.push_back(server.connect());
  for (std::size_t i = 0; i < 50; ++i) clients[i].send(body(100 + 50 * i));
  for (std::size_t i = 0; i < 50; ++i) {
    BOOST_TEST(clients[i].receive(100 + 50 * i).bytes == body(100 + 50 * i));
  }
  clients.front().send(body(2500));
  clients.front().end();
  BOOST_TEST(clients.front().receive_all().bytes == body(2500));
}

BOOST_AUTO_TEST_CASE(a_client_on_a_path_that_does_not_read_gets_every_reply_later) {
  path_server server;
  const auto text = body(8 << 20);
  const auto slow = server.connect();
  const auto sent = slow.send_until_stuck(text);
  BOOST_TEST(sent < text.size());
  BOOST_TEST(echoes(server.connect(), "hello"));
  slow.end();
  BOOST_TEST((slow.receive_all().bytes == text.substr(0, sent)));
}

BOOST_AUTO_TEST_CASE(threads_share_a_path, *several_threads) {
  path_server server{{"--threads", "2"}};
  std::vector<echo_client> clients;
  for (int i = 0; i < 40; ++i) clients.push_back(server.connect());
  for (const auto& client : clients) BOOST_TEST(echoes(client, "hello"));
  server.signal(SIGTERM);
  for (const auto& client : clients) BOOST_TEST(client.receive_raw().empty());
  BOOST_TEST(server.wait() == 0);
  BOOST_TEST(!fs::exists(server.socket()));
}

BOOST_AUTO_TEST_CASE(limits_hold_on_a_path) {
  path_server server{{"--max-connections", "2", "--idle-timeout", "1s"}};
  const auto idle = server.connect();
  BOOST_REQUIRE(echoes(idle, "hello"));
  const auto second = server.connect();
  const auto third = server.connect();  // accepted once the server has closed an idle one
  BOOST_TEST(echoes(third, "hello"));
  BOOST_TEST(idle.receive_raw().empty());
  BOOST_TEST(second.receive_raw().empty());
}

// The lines of the clients are more than the 64 KiB that fit into the pipe, which is not read.
BOOST_AUTO_TEST_CASE(a_server_whose_output_nobody_reads_serves_on_and_ends_when_told,
                     *several_threads) {
  path_server server{{"--threads", "2"}, voice::speaking};
  for (int i = 0; i < 1500; ++i) BOOST_REQUIRE(echoes(server.connect(), "hello"));
  server.signal(SIGTERM);
  BOOST_TEST(server.wait() == 0);
}

BOOST_AUTO_TEST_CASE(a_server_whose_log_may_not_grow_serves_on_and_ends_when_told) {
  const scratch_folder folder;
  path_server server{{}, voice::speaking, {.output = folder / "log", .file_size = 10}};
  BOOST_REQUIRE(server.listens());
  for (int i = 0; i < 10; ++i) BOOST_TEST(echoes(server.connect(), "hello"));
  server.signal(SIGTERM);
  BOOST_TEST(server.wait() == 0);
}

BOOST_AUTO_TEST_CASE(on_a_path_accepting_resumes_when_there_are_descriptors_again) {
  path_server server{{}, voice::quiet, {.descriptors = 64}};
  std::vector<echo_client> clients;
  for (int i = 0; i < 100; ++i) clients.push_back(server.connect());
  BOOST_TEST(echoes(clients.front(), "hello"));
  clients.erase(clients.begin(), clients.begin() + 70);
  for (const auto& client : clients) BOOST_REQUIRE(echoes(client, "hello"));
}

BOOST_AUTO_TEST_CASE(a_path_drains_like_a_port_and_its_file_goes) {
  path_server server;
  std::vector<echo_client> clients;
  for (int i = 0; i < 40; ++i) clients.push_back(server.connect());
  for (const auto& client : clients) BOOST_REQUIRE(echoes(client, "hello"));
  server.signal(SIGSTOP);
  for (std::size_t i = 0; i < 20; ++i) clients[i].send(body(2500));
  server.signal(SIGTERM);
  server.signal(SIGCONT);
  for (std::size_t i = 0; i < 40; ++i) {
    BOOST_TEST(clients[i].receive_all().bytes == (i < 20 ? body(2500) : ""));
  }
  BOOST_TEST(server.wait() == 0);
  BOOST_TEST(!fs::exists(server.socket()));
}

BOOST_AUTO_TEST_CASE(the_file_of_a_dead_server_is_replaced) {
  path_server server;
  server.signal(SIGKILL);
  BOOST_TEST(server.wait() == -SIGKILL);
  BOOST_REQUIRE(fs::is_socket(server.socket()));
  server_process next{{"--unix", server.socket()}};
  BOOST_TEST(echoes(server.connect(), "hello"));
}

BOOST_AUTO_TEST_CASE(a_path_in_use_is_refused_and_stays_whose_it_is, *several_threads) {
  path_server server;
  for (const auto* threads : {"1", "2"}) {
    const auto second = run_server({"--unix", server.socket(), "--threads", threads});
    BOOST_TEST(second.exit_code == 1);
    BOOST_TEST(second.output == "");
    BOOST_TEST((second.errors.find("cannot listen on " + server.socket().string() +
                                   ": Address already in use\n") != std::string::npos));
  }
  BOOST_TEST(echoes(server.connect(), "hello"));
}

BOOST_AUTO_TEST_CASE(a_server_removes_only_the_file_that_it_made) {
  path_server first;
  fs::remove(first.socket());
  server_process second{{"--unix", first.socket()}};
  first.signal(SIGTERM);
  BOOST_TEST(first.wait() == 0);
  BOOST_TEST(fs::is_socket(first.socket()));
  BOOST_TEST(echoes(first.connect(), "hello"));
  second.signal(SIGTERM);
  BOOST_TEST(second.wait() == 0);
  BOOST_TEST(!fs::exists(first.socket()));
}

// The process that called listen() is gone, but the test still has the listener. So the path must
// not be taken for that of a dead server.
BOOST_AUTO_TEST_CASE(a_listener_that_outlives_its_maker_is_in_use) {
  const scratch_folder folder;
  const auto path = folder / "socket";
  const int listener = bound_to(path);
  const auto maker = fork();
  if (maker == 0) _exit(listen(listener, 8));
  BOOST_REQUIRE(waitpid(maker, nullptr, 0) == maker);
  const auto refused = run_server({"--unix", path});
  close(listener);
  BOOST_TEST(refused.exit_code == 1);
  BOOST_TEST((refused.errors.find("already in use") != std::string::npos));
  BOOST_TEST(fs::is_socket(path));
}

BOOST_AUTO_TEST_CASE(a_file_that_is_no_socket_is_left_alone) {
  const scratch_folder folder;
  const auto file = folder.write("letter", "dear reader");
  const auto refused = run_server({"--unix", file});
  BOOST_TEST(refused.exit_code == 1);
  BOOST_TEST((refused.errors.find("no socket") != std::string::npos));
  BOOST_TEST(folder.read("letter") == "dear reader");
}

BOOST_AUTO_TEST_CASE(a_folder_that_does_not_exist_is_one_clear_line) {
  const auto refused = run_server({"--unix", "/nowhere/socket"});
  BOOST_TEST(refused.exit_code == 1);
  BOOST_TEST(
      (refused.errors.find("cannot listen on /nowhere/socket: No such file") != std::string::npos));
}

BOOST_AUTO_TEST_CASE(a_client_on_a_path_is_announced_without_an_address) {
  path_server server{{}, voice::speaking};
  const auto client = server.connect();
  BOOST_REQUIRE(echoes(client, "hello"));
  BOOST_TEST(server.read_line() == "Connection from a local client");
  client.end();
  BOOST_TEST(server.read_line() == "Connection closed");
  BOOST_TEST(server.read_line() == "Task done");
}

BOOST_AUTO_TEST_CASE(a_server_without_standard_descriptors_serves) {
  for (const std::vector<int>& closed : {std::vector{1}, std::vector{2}, std::vector{0, 1, 2}}) {
    BOOST_TEST_CONTEXT(closed.front() << " and so on: " << closed.size()) {
      path_server server{{}, voice::speaking, {.closed = closed}};
      BOOST_REQUIRE(server.listens());
      for (int i = 0; i < 10; ++i) BOOST_TEST(echoes(server.connect(), "hello"));
      server.signal(SIGTERM);
      BOOST_TEST(server.wait() == 0);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
