#include <sched.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <bench/contract/descriptor.hpp>
#include <bench/load/generator.hpp>
#include <bench/machine/machine.hpp>
#include <bench/server/process.hpp>
#include <bench/text/command_words.hpp>
#include <bench/text/failure.hpp>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <thread>

#include <tests/scratch_folder.hpp>
#include <tests/texts.hpp>

using namespace std::chrono_literals;
using bench::server_failed;
using bench::server_process;

namespace {

bench::server_info command(std::string text) {
  return {"it", std::move(text), {}};
}

bool alive(pid_t pid) {
  return kill(pid, 0) == 0;
}

// Waits at most five seconds until the process is gone. A zombie, which its parent has to reap,
// counts as gone.
bool ends_soon(pid_t pid) {
  for (int i = 0; i < 500; ++i) {
    std::ifstream stat{"/proc/" + std::to_string(pid) + "/stat"};
    std::string number, name, state;
    if (!alive(pid) || (stat >> number >> name >> state && state == "Z")) return true;
    std::this_thread::sleep_for(10ms);
  }
  return false;
}

boost::test_tools::assertion_result has_ipv6(boost::unit_test::test_unit_id) {
  const bench::descriptor socket{::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const auto here = bench::address::resolve("::1", 0);
  boost::test_tools::assertion_result there{::bind(socket.get(), here.get(), here.length) == 0};
  there.message() << "this machine has no ::1";
  return there;
}

boost::test_tools::assertion_result has_an_address(boost::unit_test::test_unit_id) {
  boost::test_tools::assertion_result there{!bench::address::all_of_this_host(1).empty()};
  there.message() << "this machine has no address but those of loopback";
  return there;
}

std::string unbracketed(const std::string& number) {
  return number.starts_with('[') ? number.substr(1, number.size() - 2) : number;
}

pid_t read_pid(const std::filesystem::path& file) {
  for (int i = 0; i < 500; ++i) {
    pid_t pid = 0;
    if (std::ifstream{file} >> pid) return pid;
    std::this_thread::sleep_for(10ms);
  }
  return 0;
}

std::ptrdiff_t size_of_group(pid_t leader) {
  const std::filesystem::directory_iterator all{"/proc"};
  return std::count_if(begin(all), end(all), [leader](const auto& entry) {
    const auto pid = std::atoi(entry.path().filename().c_str());
    return pid > 0 && getpgid(pid) == leader;
  });
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_bundled_server_is_found_beside_and_introduces_itself) {
  const server_process server{command("floor_echo --quiet --port 0"), {}};
  BOOST_TEST(server.announced().at("server") == "floor");
  BOOST_TEST(server.announced().at("pid") == std::to_string(server.pid()));
  BOOST_TEST(server.pss_kib().value() > 0);
  std::atomic<bool> stop{false};
  bench::load_generator client{{1, 64, 1}, 1, stop};
  client.connect(client.add_server("floor", server.where()), 1);
}

BOOST_AUTO_TEST_CASE(a_server_that_prints_nothing_is_ready_when_it_accepts) {
  const server_process server{
      command("sh -c 'exec \"$0\" honest {port} >/dev/null' " + bench::find_program("odd_server")),
      {}};
  BOOST_TEST(server.announced().empty());
  std::atomic<bool> stop{false};
  bench::load_generator client{{1, 64, 1}, 1, stop};
  client.connect(client.add_server("odd", server.where()), 1);
}

BOOST_AUTO_TEST_CASE(a_server_on_the_other_loopback_is_found,
                     *boost::unit_test::precondition(has_ipv6)) {
  const server_process server{
      command("sh -c 'exec \"$0\" --quiet --host ::1 --port {port} >/dev/null' " +
              bench::find_program("floor_echo")),
      {}};
  BOOST_TEST(server.announced().empty());
  BOOST_TEST(server.where().text.starts_with("[::1]:"));
  BOOST_TEST(server.where().accepts());
}

BOOST_AUTO_TEST_CASE(a_server_for_other_hosts_is_found_on_any_address_of_this_one,
                     *boost::unit_test::precondition(has_an_address)) {
  const auto own = bench::address::all_of_this_host(1).front().text;
  const auto number = own.substr(0, own.rfind(':'));
  const auto silent = command("sh -c 'exec \"$0\" --quiet --host " + unbracketed(number) +
                              " --port {port} >/dev/null' " + bench::find_program("floor_echo"));
  const server_process server{silent, {.cpu = {}, .for_other_hosts = true}};
  BOOST_TEST(server.announced().empty());
  BOOST_TEST(server.where().text.starts_with(number + ":"));
  BOOST_TEST(server.listens_itself());
  BOOST_CHECK_EXCEPTION((server_process{silent, {.cpu = {}, .patience = 300ms}}), server_failed,
                        saying("did not listen within 0.3 s"));
}

BOOST_AUTO_TEST_CASE(a_socket_finds_a_folder_where_tmpdir_is_missing_or_too_long) {
  const scratch_folder folder;
  const auto long_folder = folder / std::string(100, 'x');
  std::filesystem::create_directory(long_folder);
  const auto* before = std::getenv("TMPDIR");
  const std::string kept = before == nullptr ? "" : before;
  const auto with_blank = folder / "a folder";
  std::filesystem::create_directory(with_blank);
  for (const auto& value :
       {std::string{"/no/such/folder"}, long_folder.string(), with_blank.string()}) {
    setenv("TMPDIR", value.c_str(), 1);
    const server_process server{command("floor_echo --quiet --unix {path}"), {}};
    BOOST_TEST(server.announced().at("unix").starts_with("/tmp/echobench."));
  }
  before == nullptr ? unsetenv("TMPDIR") : setenv("TMPDIR", kept.c_str(), 1);
}

BOOST_AUTO_TEST_CASE(a_server_that_dies_at_start_is_quoted) {
  BOOST_CHECK_EXCEPTION(
      server_process(command("sh -c 'echo first >&2; echo no such luck >&2; exit 3'"), {}),
      server_failed, saying("it exited with status 3: no such luck"));
  BOOST_CHECK_EXCEPTION(server_process(command("sh -c 'kill -9 $$'"), {}), server_failed,
                        saying("it was killed by signal 9"));
}

BOOST_AUTO_TEST_CASE(a_server_that_never_listens_is_said_to) {
  const bench::launch_options hasty{.cpu = {}, .patience = 200ms};
  BOOST_CHECK_EXCEPTION(server_process(command("sleep 60"), hasty), server_failed,
                        saying("did not listen within 0.2 s"));
  BOOST_CHECK_EXCEPTION(server_process(command("sh -c 'sleep 60' {port}"), hasty), server_failed,
                        saying("did not listen within 0.2 s"));
}

BOOST_AUTO_TEST_CASE(a_program_that_is_not_there_is_named) {
  BOOST_CHECK_EXCEPTION(server_process(command("no_such_program --port 0"), {}), server_failed,
                        saying("no_such_program: No such file"));
}

BOOST_AUTO_TEST_CASE(who_hands_over_to_a_process_unknown_here_is_found_out) {
  const server_process itself{command("floor_echo --quiet --port 0"), {}};
  BOOST_TEST(itself.listens_itself());
  const scratch_folder folder;
  const auto file = folder / "pid";
  const server_process launcher{
      command("sh -c 'setsid \"$0\" honest {port} & echo $! > \"$1\"; wait' " +
              bench::find_program("odd_server") + " " + file.string()),
      {}};
  BOOST_TEST(!launcher.listens_itself());
  kill(read_pid(file), SIGKILL);
}

BOOST_AUTO_TEST_CASE(a_server_that_becomes_a_daemon_is_refused_and_leaves_nothing) {
  const scratch_folder folder;
  const auto file = folder / "pid";
  BOOST_CHECK_EXCEPTION(
      server_process(command("sh -c 'setsid \"$0\" honest {port} & echo $! > \"$1\"; exit 0' " +
                             bench::find_program("odd_server") + " " + file.string()),
                     {}),
      server_failed, saying("it became a daemon"));
  BOOST_TEST(ends_soon(read_pid(file)));
}

BOOST_AUTO_TEST_CASE(what_a_server_started_goes_with_it_from_another_session_too) {
  const scratch_folder folder;
  const auto file = folder / "pid";
  pid_t child = 0;
  {
    const server_process server{
        command("sh -c 'setsid sleep 60 & echo $! > \"$0\"; echo listening port=9; wait' " +
                file.string()),
        {}};
    child = read_pid(file);
    BOOST_TEST(alive(child));
  }
  BOOST_TEST(ends_soon(child));
}

BOOST_AUTO_TEST_CASE(who_cannot_be_pinned_is_said) {
  BOOST_CHECK_EXCEPTION(server_process(command("floor_echo --quiet --port 0"), {.cpu = 1000}),
                        bench::run_invalid, saying("cannot pin it: Invalid argument"));
}

BOOST_AUTO_TEST_CASE(a_command_that_no_shell_would_take_is_refused) {
  BOOST_CHECK_EXCEPTION(server_process(command("echo 'x"), {}), bench::usage_error,
                        saying("no closing '"));
  BOOST_CHECK_THROW(server_process(command("  "), {}), bench::usage_error);
}

BOOST_AUTO_TEST_CASE(a_taken_port_is_told_in_the_words_of_the_server) {
  const server_process first{command("floor_echo --quiet --port 0"), {}};
  BOOST_CHECK_EXCEPTION(
      server_process(command("floor_echo --quiet --port " + first.announced().at("port")), {}),
      server_failed, saying("ddress already in use"));
}

BOOST_AUTO_TEST_CASE(a_server_runs_where_it_is_pinned) {
  const int cpu = bench::allowed_cpus().back();
  const server_process server{command("floor_echo --quiet --port 0"), {.cpu = cpu}};
  cpu_set_t set;
  BOOST_REQUIRE(sched_getaffinity(server.pid(), sizeof set, &set) == 0);
  BOOST_TEST(CPU_COUNT(&set) == 1);
  BOOST_TEST(CPU_ISSET(static_cast<unsigned>(cpu), &set));
}

BOOST_AUTO_TEST_CASE(its_cpu_clock_runs_only_while_it_works) {
  const server_process server{command("floor_echo --quiet --port 0"), {}};
  std::atomic<bool> stop{false};
  bench::load_generator client{{4, 64, 1}, 1, stop};
  const auto number = client.add_server("floor", server.where());
  client.connect(number, 4);
  const auto idle = server.cpu_ns();
  std::this_thread::sleep_for(50ms);
  const auto before = server.cpu_ns();
  client.start({number});
  client.run(100ms);
  client.finish();
  BOOST_TEST(before - idle < 5e6);
  BOOST_TEST(server.cpu_ns() > before);
}

BOOST_AUTO_TEST_CASE(a_talkative_server_is_not_held_up) {
  const scratch_folder folder;
  const auto done = folder / "done";
  server_process server{
      command("sh -c 'echo listening port=9; yes | head -c 1000000; echo $$ > \"$0\"; sleep 60' " +
              done.string()),
      {}};
  BOOST_TEST(read_pid(done) > 0);
}

// st_blocks counts 512 bytes each.
BOOST_AUTO_TEST_CASE(what_a_server_prints_does_not_pile_up) {
  const scratch_folder folder;
  const auto done = folder / "done";
  server_process server{
      command("sh -c 'echo listening port=9; yes | head -c 9000000; echo no such luck; "
              "echo $$ > \"$0\"; sleep 60' " +
              done.string()),
      {}};
  BOOST_REQUIRE(read_pid(done) > 0);
  const auto output = "/proc/" + std::to_string(server.pid()) + "/fd/1";
  struct stat file {};
  BOOST_REQUIRE(stat(output.c_str(), &file) == 0);
  BOOST_TEST(file.st_blocks * 512 > 8'000'000);
  server.discard_old_output();
  BOOST_REQUIRE(stat(output.c_str(), &file) == 0);
  BOOST_TEST(file.st_blocks * 512 < 1'000'000);
  BOOST_TEST(file.st_size > 9'000'000);
}

BOOST_AUTO_TEST_CASE(the_last_words_are_those_at_the_end_of_much_output) {
  BOOST_CHECK_EXCEPTION(
      server_process(command("sh -c 'yes | head -c 3000000 >&2; echo no such luck >&2; exit 3'"),
                     {}),
      server_failed, saying("it exited with status 3: no such luck"));
}

BOOST_AUTO_TEST_CASE(a_listening_line_after_two_mib_is_found) {
  const server_process server{
      command("sh -c 'yes | head -c 2000001; echo; echo listening port=9; sleep 60'"),
      {.cpu = {}, .patience = 30s}};
  BOOST_TEST(server.announced().at("port") == "9");
}

BOOST_AUTO_TEST_CASE(a_server_that_ignores_sigterm_is_killed) {
  server_process server{
      command("sh -c 'trap \"\" TERM; echo listening port=9; sleep 60; sleep 60'"), {}};
  const auto pid = server.pid();
  server.stop();
  BOOST_TEST(!alive(pid));
}

BOOST_AUTO_TEST_CASE(what_a_server_started_goes_with_it) {
  const scratch_folder folder;
  const auto file = folder / "pid";
  pid_t child = 0;
  {
    const server_process server{
        command("sh -c 'sleep 60 & echo $! > \"$0\"; echo listening port=9; wait' " +
                file.string()),
        {}};
    child = read_pid(file);
    BOOST_TEST(alive(child));
  }
  BOOST_TEST(ends_soon(child));
}

BOOST_AUTO_TEST_CASE(a_server_dies_with_a_parent_that_is_killed) {
  const scratch_folder folder;
  const auto file = folder / "pid";
  const pid_t parent = fork();
  if (parent == 0) {
    const server_process server{command("floor_echo --quiet --port 0"), {}};
    std::ofstream{file} << server.pid() << std::endl;
    pause();
  }
  const auto server = read_pid(file);
  BOOST_TEST(alive(server));
  kill(parent, SIGKILL);
  waitpid(parent, nullptr, 0);
  BOOST_TEST(ends_soon(server));
}

BOOST_AUTO_TEST_CASE(the_cpu_of_what_a_server_started_is_its_own) {
  server_process server{
      command("sh -c 'sh -c \"while :; do :; done\" & echo listening port=9; wait'"), {}};
  server.count_family();
  const auto before = server.cpu_ns();
  for (int i = 0; i < 500 && server.cpu_ns() < before + 20e6; ++i)
    std::this_thread::sleep_for(10ms);
  BOOST_TEST(server.cpu_ns() >= before + 20e6);
}

BOOST_AUTO_TEST_CASE(a_process_that_came_or_went_or_did_both_shows_when_they_are_counted,
                     *boost::unit_test::timeout(60)) {
  const scratch_folder folder;
  const auto orders = folder / "orders";
  const auto done = folder / "done";
  BOOST_REQUIRE(mkfifo(orders.c_str(), 0600) == 0);
  server_process server{command("sh -c 'echo listening port=9; while :; do read order < \"$0\" || "
                                "continue; eval \"$order\"; "
                                "echo $$ > \"$1\"; done' " +
                                orders.string() + " " + done.string()),
                        {}};
  const auto same_after = [&](const char* order) {
    std::ofstream{orders} << order << std::endl;
    BOOST_REQUIRE(read_pid(done) > 0);
    std::filesystem::remove(done);
    return server.count_family();
  };
  BOOST_TEST(same_after(":"));
  BOOST_TEST(!same_after("sleep 60 &"));
  BOOST_TEST(same_after(":"));
  BOOST_TEST(!same_after("kill $!; wait $!"));
  BOOST_TEST(!same_after("sleep 0"));
  BOOST_TEST(same_after(":"));
}

BOOST_AUTO_TEST_CASE(a_process_that_came_and_went_shows_where_its_parent_ignores_its_end,
                     *boost::unit_test::timeout(60)) {
  server_process server{command("odd_server forks {port}"), {}};
  server.count_family();  // a moment ago it was asked whether it accepts
  while (server.family().size() > 1) server.count_family();
  for (int i = 0; i < 3; ++i) {
    std::atomic<bool> stop{false};
    bench::load_generator client{{1, 64, 1}, 1, stop};
    client.connect(client.add_server("odd", server.where()), 1);
  }
  while (size_of_group(server.pid()) > 1) std::this_thread::sleep_for(10ms);
  BOOST_TEST(!server.count_family());
}

BOOST_AUTO_TEST_CASE(how_a_server_ended_later_is_known) {
  server_process server{command("floor_echo --quiet --port 0"), {}};
  BOOST_TEST(!server.obituary().has_value());
  server.signal(SIGKILL);
  BOOST_TEST(ends_soon(server.pid()));
  BOOST_TEST(server.obituary().value() == "it was killed by signal 9 (Killed)");
}

BOOST_AUTO_TEST_CASE(a_signal_that_is_ignored_here_is_not_ignored_there) {
  const auto before = signal(SIGPIPE, SIG_IGN);
  server_process server{command("sh -c 'echo listening port=9; (kill -PIPE $$; sleep 60) & wait'"),
                        {}};
  signal(SIGPIPE, before);
  BOOST_TEST(ends_soon(server.pid()));
  BOOST_TEST(server.obituary().value() == "it was killed by signal 13 (Broken pipe)");
}

BOOST_AUTO_TEST_CASE(starting_is_interrupted) {
  const std::atomic<bool> stop{true};
  BOOST_CHECK_THROW(server_process(command("sleep 60"), {.cpu = {}, .stop = &stop}),
                    bench::interrupted);
}

BOOST_AUTO_TEST_CASE(a_pause_stops_the_server_and_what_it_started) {
  const auto state_of = [](pid_t pid) {
    std::ifstream stat{"/proc/" + std::to_string(pid) + "/stat"};
    std::string number, name, state;
    stat >> number >> name >> state;
    return state;
  };
  const auto becomes = [&](pid_t pid, const std::string& state) {
    for (int i = 0; i < 500 && state_of(pid) != state; ++i) std::this_thread::sleep_for(10ms);
    return state_of(pid) == state;
  };
  const scratch_folder folder;
  const auto file = folder / "pid";
  const server_process server{
      command("sh -c '\"$0\" --quiet --port {port} & echo $! > \"$1\"; wait' " +
              bench::find_program("floor_echo") + " " + file.string()),
      {}};
  const auto child = read_pid(file);
  server.pause();
  BOOST_TEST(becomes(server.pid(), "T"));
  BOOST_TEST(becomes(child, "T"));
  server.resume();
  BOOST_TEST(becomes(server.pid(), "S"));
  BOOST_TEST(becomes(child, "S"));
}
