// What the launcher prints before the program on the other host says hello, and instead of it; and
// whether its servers can be reached. Scripts take the place of ssh.
#include <signal.h>
#include <sys/socket.h>

#include <bench/contract/descriptor.hpp>
#include <bench/hosts/launcher.hpp>
#include <bench/hosts/servers/connection.hpp>
#include <bench/hosts/servers/place.hpp>
#include <bench/hosts/servers/remote.hpp>
#include <bench/measure/live_test_bed.hpp>
#include <bench/server/catalogue.hpp>
#include <bench/server/family.hpp>
#include <bench/text/failure.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>

#include <tests/bench/hosts/namespaces.hpp>
#include <tests/scratch_folder.hpp>
#include <tests/texts.hpp>

using namespace std::chrono_literals;
using bench::host_failed;
using bench::servers_connection;

namespace {

const std::atomic<bool> never{false};

// A launcher that does what `text` says; $1 is the name of the host. What it starts inherits a
// variable, by which left() finds it.
class script {
 public:
  explicit script(const std::string& text)
      : path_{folder_.write(
            "launcher", "#!/bin/sh\nexport STARTED_BY=" + folder_.path().string() + "\n" + text)} {
    std::filesystem::permissions(path_, std::filesystem::perms::owner_all);
  }

  servers_connection connect(const std::atomic<bool>& stop = never) const {
    return servers_connection{"b", as_launcher(), stop};
  }
  bench::launcher as_launcher() const { return bench::launcher{path_.string()}; }

  // What goes wrong; empty: nothing does.
  std::string failure() const {
    try {
      connect();
    } catch (const host_failed& failure) {
      return failure.what();
    }
    return {};
  }

  // Waits up to three seconds until none of its processes is left.
  bool nothing_is_left() const {
    for (int i = 0; i < 300; ++i) {
      if (bench::processes_with("STARTED_BY=" + folder_.path().string()).empty()) return true;
      std::this_thread::sleep_for(10ms);
    }
    return false;
  }

 private:
  scratch_folder folder_;
  std::filesystem::path path_;
};

std::string name_of(pid_t pid) {
  std::string name;
  std::getline(std::ifstream{"/proc/" + std::to_string(pid) + "/comm"}, name);
  return name;
}

boost::test_tools::assertion_result has_ipv6(boost::unit_test::test_unit_id) {
  const bench::descriptor socket{::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  const auto own = bench::address::resolve_all("::1", 0).front();
  boost::test_tools::assertion_result there{::bind(socket.get(), own.get(), own.length) == 0};
  if (!there) BOOST_TEST_MESSAGE("skipped: this machine has no ::1");
  return there;
}

boost::test_tools::assertion_result hosts_can_be_made(boost::unit_test::test_unit_id) {
  const auto& reason = test_network::why_not();
  boost::test_tools::assertion_result possible{reason.empty()};
  if (!possible) BOOST_TEST_MESSAGE("skipped: no test network can be made here: " << reason);
  return possible;
}

}  // namespace

BOOST_AUTO_TEST_CASE(what_a_shell_prints_before_the_program_starts_is_passed_over) {
  const script greets{"echo '{ Welcome }'\necho 'Last login: today'\necho\nshift\nexec \"$@\"\n"};
  {
    auto there = greets.connect();
    BOOST_TEST(there.hello().machine.cpus > 0);
    BOOST_TEST(there.ask({.wish = bench::server_wish::read_processor}).processor->busy > 0);
  }
  BOOST_TEST(greets.nothing_is_left());
}

BOOST_AUTO_TEST_CASE(a_launcher_that_talks_all_the_time_is_given_up_within_ten_seconds_and_quoted) {
  const script talks{"exec yes 'a password, please'\n"};
  const auto start = std::chrono::steady_clock::now();
  BOOST_TEST(talks.failure() ==
             "b: echobench_servers gives no sign of life for 7 s: instead came "
             "'a password, please'");
  BOOST_TEST((std::chrono::steady_clock::now() - start < 10s));
  BOOST_TEST(talks.nothing_is_left());
}

BOOST_AUTO_TEST_CASE(an_interruption_ends_the_wait_for_a_launcher_that_talks_all_the_time) {
  const script talks{"exec yes\n"};
  std::atomic<bool> stop{false};
  const std::jthread soon{[&] {
    std::this_thread::sleep_for(200ms);
    stop = true;
  }};
  const auto start = std::chrono::steady_clock::now();
  BOOST_CHECK_THROW(talks.connect(stop), bench::interrupted);
  BOOST_TEST((std::chrono::steady_clock::now() - start < 2s));
  BOOST_TEST(talks.nothing_is_left());
}

BOOST_AUTO_TEST_CASE(a_line_without_an_end_is_not_read_on_for_ever) {
  const script endless{"exec tr '\\0' x </dev/zero\n"};
  BOOST_TEST(endless.failure() == "b: echobench_servers says more than 1048576 bytes in one line");
  BOOST_TEST(endless.nothing_is_left());
}

BOOST_AUTO_TEST_CASE(another_build_is_named_whatever_else_its_hello_holds) {
  const script older{"echo '{\"hello\":{\"build\":\"0.0.9 Debug\",\"speed\":1}}'\nexec sleep 60\n"};
  BOOST_TEST(older.failure().starts_with(
      "b: its echobench_servers is of another build, 0.0.9 Debug; here it is "));
  BOOST_TEST(older.nothing_is_left());
}

BOOST_AUTO_TEST_CASE(the_words_of_ssh_end_before_their_carriage_return) {
  const script fails{"printf 'ssh: no such host\\r\\n' >&2\nexit 255\n"};
  BOOST_TEST(fails.failure() ==
             "b: echobench_servers did not start: ssh: no such host (exit code 255)");
}

BOOST_AUTO_TEST_CASE(a_program_that_lacks_a_library_there_is_not_called_missing) {
  const script lacks{"echo 'error while loading shared libraries: libx.so.1' >&2\nexit 127\n"};
  BOOST_TEST(lacks.failure() ==
             "b: echobench_servers did not start: error while loading shared libraries: libx.so.1 "
             "(exit code 127)");
}

BOOST_AUTO_TEST_CASE(servers_are_reached_at_an_address_of_whichever_family,
                     *boost::unit_test::precondition(has_ipv6)) {
  const script here{"shift\nexec \"$@\"\n"};
  for (const std::string at : {"127.0.0.1", "::1"}) {
    bench::remote_servers there{"b", at, here.as_launcher(), never};
    for (const auto* name : {"floor/epoll", "fibers/epoll"}) {
      std::vector servers{bench::find_server(name)};
      bench::listen_everywhere(servers, at);
      const auto server = there.start(servers.front(), std::nullopt, never);
      BOOST_TEST(server->where().accepts(), name);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_host_that_is_cut_off_is_told_apart_from_a_server_that_is_silent,
                     *boost::unit_test::precondition(hosts_can_be_made)) {
  test_network network{1};
  const auto there = std::make_shared<bench::remote_servers>(
      network.name(0), network.address(0), bench::launcher{"ip netns exec"}, never);
  const bench::server_info server{"it", "floor_echo --quiet --port 0 --host ''", {}};
  bench::live_test_bed bed{{server}, std::nullopt, 1, never, {4, 64, 1}, {}, there};
  const auto failure_while = [&](auto disturb) {
    bed.launch({"it"}, {4, 64, 1});
    bed.load({0}, 50ms);
    disturb();
    const auto start = std::chrono::steady_clock::now();
    std::string said = "nothing";
    try {
      bed.load({0}, 20s);
    } catch (const host_failed& failure) {
      said = failure.what();
    } catch (const bench::server_failed& failure) {
      said = std::string{"server: "} + failure.what();
    }
    BOOST_TEST((std::chrono::steady_clock::now() - start < 10s));
    bed.abandon();
    return said;
  };
  BOOST_TEST(failure_while([&] {
               for (const auto pid : network.processes_in(0))
                 if (name_of(pid) == "floor_echo") kill(pid, SIGSTOP);
             }).starts_with("server: it "));
  const auto cut = failure_while([&] { network.cut(0); });
  BOOST_TEST(cut.starts_with(network.name(0) + ": it runs there, but nothing comes back from " +
                             network.address(0) + ":"),
             cut);
}
