// A server on another host is what a server here is, and whatever happens to that host is told in
// one line that names it.
#include <signal.h>

#include <bench/hosts/fleet.hpp>
#include <bench/hosts/servers/remote.hpp>
#include <bench/load/generator.hpp>
#include <bench/machine/machine.hpp>
#include <bench/measure/live_test_bed.hpp>
#include <bench/text/failure.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <memory>
#include <string>

#include <tests/bench/hosts/servers/launchers.hpp>
#include <tests/texts.hpp>

using namespace std::chrono_literals;
using bench::host_failed;
using bench::remote_servers;
using bench::server_wish;

namespace {

const std::atomic<bool> never{false};

bench::server_info command(std::string text) {
  return {"it", std::move(text), {}};
}

struct another_host {
  launchers in;
  remote_servers servers{"b", "127.0.0.1", bench::launcher{in.here()}, never};

  std::unique_ptr<bench::running_server> start(const std::string& text) {
    return servers.start(command(text), std::nullopt, never);
  }
};

const std::string floor_server = "floor_echo --quiet --port 0";

void load(const bench::running_server& server) {
  bench::load_generator client{bench::scenario::parse("c4/64"), 1, never};
  const auto number = client.add_server("it", server.where());
  client.connect(number, 4);
  client.start({number});
  client.run(100ms);
  client.finish();
}

// How long `work` takes until it throws host_failed, whose line is returned.
struct failure_seen {
  std::string line;
  std::chrono::milliseconds after{};
};
template <class Work>
failure_seen failure_of(Work work) {
  const auto start = std::chrono::steady_clock::now();
  try {
    work();
  } catch (const host_failed& failure) {
    return {failure.what(), std::chrono::duration_cast<std::chrono::milliseconds>(
                                std::chrono::steady_clock::now() - start)};
  }
  return {"no failure", 0ms};
}

failure_seen failure_to_connect(const std::string& launcher) {
  return failure_of([&] { remote_servers{"b", "127.0.0.1", bench::launcher{launcher}, never}; });
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_server_on_another_host_introduces_itself_and_answers_there) {
  another_host there;
  const auto server = there.start(floor_server);
  BOOST_TEST(server->name() == "it");
  BOOST_TEST(server->announced().at("server") == "floor");
  BOOST_TEST(server->where().text == "127.0.0.1:" + server->announced().at("port"));
  BOOST_TEST(server->listens_itself());
  BOOST_TEST(server->pss_kib().value() > 0);
  server->expect_foreground();
  load(*server);
  BOOST_TEST(!server->obituary());
}

BOOST_AUTO_TEST_CASE(its_cpu_and_its_calls_are_counted_there) {
  another_host there;
  const auto server = there.start(floor_server);
  load(*server);
  BOOST_TEST(server->count_family());
  const auto before = server->cpu_ns();
  server->begin_counting();
  load(*server);
  const auto counted = server->counted();
  BOOST_TEST(server->cpu_ns() > before);
  BOOST_TEST(counted.context_switches > 0);
  if (there.servers.about().calls_not_counted.empty()) BOOST_TEST(counted.system_calls.value() > 0);
  BOOST_TEST(there.servers.read_processor(std::nullopt).busy > 0);
}

BOOST_AUTO_TEST_CASE(a_server_that_takes_no_port_of_its_own_gets_one_that_is_free_there) {
  another_host there;
  const auto server = there.start("odd_server honest {port}");
  load(*server);
}

BOOST_AUTO_TEST_CASE(what_a_server_fails_of_there_is_told_as_here_and_with_the_host) {
  another_host there;
  BOOST_CHECK_EXCEPTION(there.start("sh -c 'echo no such luck >&2; exit 3'"), bench::not_available,
                        saying("on b: it exited with status 3: no such luck"));
  BOOST_CHECK_EXCEPTION(there.start("no_such_program --port 0"), bench::not_available,
                        saying("on b: cannot start it"));
  BOOST_CHECK_EXCEPTION(there.start("sh -c 'kill -9 $$'"), bench::server_failed,
                        saying("on b: it was killed by signal 9"));
  BOOST_CHECK_EXCEPTION(there.start("echo 'x"), bench::usage_error, saying("on b: "));
  BOOST_TEST(there.start(floor_server)->listens_itself());  // and the host serves on
}

BOOST_AUTO_TEST_CASE(the_end_of_a_server_there_is_explained_by_its_last_words) {
  another_host there;
  const auto server = there.start(floor_server);
  kill(std::stoi(server->announced().at("pid")), SIGKILL);
  std::optional<std::string> end;
  for (int i = 0; i < 200 && !end; ++i) end = server->obituary();
  BOOST_TEST(contains(end.value_or("it runs"), "on b: it was killed by signal 9"));
}

BOOST_AUTO_TEST_CASE(a_server_that_takes_longer_to_start_than_a_host_may_be_silent_is_waited_for) {
  another_host there;
  const auto server = there.start("sh -c 'sleep 6; exec " + bench::find_program("odd_server") +
                                  " honest \"$0\"' {port}");
  load(*server);
}

BOOST_AUTO_TEST_CASE(the_program_and_its_servers_end_with_the_connection) {
  const launchers in;
  {
    remote_servers there{"b", "127.0.0.1", bench::launcher{in.here()}, never};
    const auto server = there.start(command(floor_server), std::nullopt, never);
    BOOST_TEST(in.processes().size() >= 2U);
  }
  BOOST_TEST(in.left().empty());
}

BOOST_AUTO_TEST_CASE(a_killed_program_is_told_at_the_next_question_and_its_servers_are_gone) {
  const launchers in;
  {
    remote_servers there{"b", "127.0.0.1", bench::launcher{in.here()}, never};
    const auto server = there.start(command(floor_server), std::nullopt, never);
    kill(there.about().pid, SIGKILL);
    const auto seen = failure_of([&] { server->cpu_ns(); });
    BOOST_TEST_MESSAGE(seen.line);
    BOOST_TEST(seen.line.starts_with("b: echobench_servers ended: "));  // a shell says how
    BOOST_TEST(seen.after < 3s);
    BOOST_TEST(failure_of([&] { server->cpu_ns(); }).line == seen.line);
  }
  BOOST_TEST(in.left().empty());
}

BOOST_AUTO_TEST_CASE(a_stopped_program_is_told_within_ten_seconds_and_nothing_is_left) {
  const launchers in;
  {
    remote_servers there{"b", "127.0.0.1", bench::launcher{in.here()}, never};
    const auto server = there.start(command(floor_server), std::nullopt, never);
    kill(there.about().pid, SIGSTOP);
    const auto seen = failure_of([&] { server->cpu_ns(); });
    BOOST_TEST(seen.line == "b: echobench_servers gives no sign of life for 5 s");
    BOOST_TEST(seen.after < 10s);
  }
  BOOST_TEST(in.left().empty());
}

// As ssh: the launcher runs here, and the program is no child of it.
BOOST_AUTO_TEST_CASE(a_stopped_program_that_does_not_die_with_its_launcher_is_killed_by_another) {
  const launchers in;
  const auto apart = in.apart();
  {
    remote_servers there{"b", "127.0.0.1", bench::launcher{apart}, never};
    const auto server = there.start(command(floor_server), std::nullopt, never);
    kill(there.about().pid, SIGSTOP);
    BOOST_TEST(failure_of([&] { server->cpu_ns(); }).after < 10s);
  }
  BOOST_TEST(in.left().empty());
}

BOOST_AUTO_TEST_CASE(a_launcher_that_fails_is_quoted) {
  const launchers in;
  const auto seen = failure_to_connect(in.failing("ssh: connect to host b: No route to host", 255));
  BOOST_TEST(seen.line ==
             "b: echobench_servers did not start: ssh: connect to host b: No route to host "
             "(exit code 255)");
  BOOST_TEST(in.left().empty());
}

BOOST_AUTO_TEST_CASE(a_host_without_the_program_is_named) {
  const launchers in;
  const auto seen = failure_to_connect(in.failing("sh: 1: not found", 127));
  BOOST_TEST(seen.line.starts_with("b: it has no echobench_servers where this host has it (/"));
}

BOOST_AUTO_TEST_CASE(a_launcher_that_says_nothing_is_given_up_within_ten_seconds) {
  const launchers in;
  const auto seen = failure_to_connect(in.silent());
  BOOST_TEST(seen.line == "b: echobench_servers gives no sign of life for 7 s");
  BOOST_TEST(seen.after < 10s);
  BOOST_TEST(in.left().empty());
}

BOOST_AUTO_TEST_CASE(a_program_of_another_build_is_refused_with_both_builds) {
  const launchers in;
  const auto seen = failure_to_connect(in.of_another_build());
  const std::string between = "; here it is ";
  const std::string before = "b: its echobench_servers is of another build, ";
  BOOST_TEST(seen.line.starts_with(before));
  const auto at = seen.line.find(between);
  BOOST_REQUIRE(at != std::string::npos);
  BOOST_TEST(seen.line.substr(before.size(), at - before.size()) !=
             seen.line.substr(at + between.size()));
  BOOST_TEST(in.left().empty());
}

BOOST_AUTO_TEST_CASE(an_interruption_ends_a_start_there_at_once) {
  const launchers in;
  std::atomic<bool> stop{false};
  {
    remote_servers there{"b", "127.0.0.1", bench::launcher{in.here()}, stop};
    const std::jthread soon{[&] {
      std::this_thread::sleep_for(200ms);
      stop = true;
    }};
    const auto start = std::chrono::steady_clock::now();
    BOOST_CHECK_THROW(there.start(command("sleep 60"), std::nullopt, stop), bench::interrupted);
    BOOST_TEST((std::chrono::steady_clock::now() - start < 2s));
  }
  BOOST_TEST(in.left().empty());
}

namespace {

// CPU time per message of the floor in one slice, in ns.
double cost(const std::shared_ptr<bench::server_host>& host, const bench::make_load_client& clients,
            std::chrono::milliseconds length) {
  bench::live_test_bed bed{{{"floor/epoll", floor_server, {}}}, std::nullopt, 1,   never,
                           bench::scenario::parse("c1/64"),     clients,      host};
  bed.launch({"floor/epoll"}, bench::scenario::parse("c8/64"));
  bed.load({0}, 100ms);
  const auto found = bed.load({0}, length).front();
  bed.finish();
  return found.cpu_ns.value() / static_cast<double>(found.messages);
}

// Other programs on the machine raise any of them for a while: so the least of a few.
template <class First, class Second>
void expect_alike(First first, Second second) {
  double first_ns = 1e9, second_ns = 1e9;
  for (int i = 0; i < 5; ++i) {
    first_ns = std::min(first_ns, first());
    second_ns = std::min(second_ns, second());
  }
  BOOST_TEST(first_ns < 1.5 * second_ns);
  BOOST_TEST(second_ns < 1.5 * first_ns);
}

struct quiet_clients {
  bench::fleet all{bench::parse_hosts({.from = "localhost"}), never};
  bench::make_load_client make() {
    return [this](const bench::scenario& shape) { return all.make_client(shape, 1); };
  }
};

}  // namespace

BOOST_AUTO_TEST_CASE(cpu_per_message_is_the_same_whether_it_is_read_there_or_here) {
  const launchers in;
  const auto there =
      std::make_shared<remote_servers>("b", "127.0.0.1", bench::launcher{in.here()}, never);
  quiet_clients clients;
  expect_alike([&] { return cost(there, clients.make(), 500ms); },
               [&] { return cost({}, clients.make(), 500ms); });
}

// A client that counts from quiet to quiet loads the server for longer than it measures.
BOOST_AUTO_TEST_CASE(cpu_per_message_is_the_same_whether_a_load_is_timed_in_whole_or_in_part) {
  quiet_clients clients;
  expect_alike([&] { return cost({}, clients.make(), 50ms); }, [&] { return cost({}, {}, 50ms); });
}
