// A load as a user would start it: over ssh, to a host on which sshd runs.
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>

#include <bench/text/command_words.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <iostream>

#include <tests/bench/hosts/counting_echo.hpp>
#include <tests/bench/hosts/over_mpi/loading.hpp>
#include <tests/child_process.hpp>

namespace {

std::string program_of_system(const std::string& name) {
  const auto found = bench::find_in_path(name);
  return !found.empty() || !fs::exists("/usr/sbin/" + name) ? found : "/usr/sbin/" + name;
}

struct permitted_ssh {
  permitted_ssh() {
    const permitted_loads loads;
    for (const char* each : {"sshd", "ssh", "ssh-keygen"}) {
      if (!program_of_system(each).empty()) continue;
      std::cout << "skipped: there is no " << each << " here\n" << std::flush;
      std::_Exit(77);
    }
  }
};
BOOST_TEST_GLOBAL_CONFIGURATION(permitted_ssh);

// sshd on a host of the network, with keys of its own, and a configuration for ssh that reaches it
// under the name of the host.
class host_with_sshd {
 public:
  host_with_sshd(const test_network& network, std::size_t host) {
    make_key("host_key");
    make_key("user_key");
    folder_.write("authorized_keys", folder_.read("user_key.pub"));
    made_folder_ = mkdir(folder_of_sshd, 0755) == 0;
    folder_.write("sshd_config",
                  fmt::format("ListenAddress {}\n"
                              "HostKey {}\n"
                              "AuthorizedKeysFile {}\n"
                              "PidFile none\n"
                              "StrictModes no\n"
                              "UsePAM no\n"
                              "PermitRootLogin prohibit-password\n"
                              "PasswordAuthentication no\n",
                              network.address(host), path("host_key"), path("authorized_keys")));
    folder_.write("ssh_config", fmt::format("Host {}\n"
                                            "  HostName {}\n"
                                            "  IdentityFile {}\n"
                                            "  IdentitiesOnly yes\n"
                                            "  StrictHostKeyChecking no\n"
                                            "  UserKnownHostsFile {}\n"
                                            "  BatchMode yes\n"
                                            "  LogLevel ERROR\n",
                                            network.name(host), network.address(host),
                                            path("user_key"), path("known_hosts")));
    start(
        network.words_in(host, {program_of_system("sshd"), "-D", "-e", "-f", path("sshd_config")}));
    for (int i = 0; i < 1000 && !answers(network.name(host)); ++i)
      std::this_thread::sleep_for(10ms);
  }
  ~host_with_sshd() {
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
    if (made_folder_) rmdir(folder_of_sshd);
  }
  host_with_sshd(const host_with_sshd&) = delete;
  host_with_sshd& operator=(const host_with_sshd&) = delete;

  std::string launcher() const { return "ssh -F " + path("ssh_config"); }
  bool answers(const std::string& name) const {
    return run_program({program_of_system("ssh"), "-F", path("ssh_config"), name, "true"})
               .exit_code == 0;
  }

 private:
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  void make_key(const std::string& name) const {
    const auto ended = run_program(
        {program_of_system("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", path(name)});
    BOOST_REQUIRE_MESSAGE(ended.exit_code == 0, ended.errors);
  }
  void start(const words& command) {
    std::vector<char*> raw;
    for (const auto& each : command) raw.push_back(const_cast<char*>(each.c_str()));
    raw.push_back(nullptr);
    const auto log = path("sshd_log");
    pid_ = fork();
    if (pid_ != 0) return;
    dup2(open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDERR_FILENO);
    execv(raw[0], raw.data());
    _exit(127);
  }

  // Which sshd wants, whatever its configuration.
  static constexpr const char* folder_of_sshd = "/run/sshd";

  scratch_folder folder_;
  bool made_folder_ = false;
  pid_t pid_ = -1;
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_host_is_reached_by_ssh_and_loads_the_server) {
  test_network network{1};
  const host_with_sshd host{network, 0};
  BOOST_REQUIRE(host.answers(network.name(0)));
  const counting_echo server{listen_on(network.own_address())};
  echobench program;
  const auto ended =
      program.run({"load", fmt::format("{}:{}", network.own_address(), server.port()), "--from",
                   network.name(0) + ":2", "--launcher", host.launcher(), "--load", "c4/64",
                   "--duration", "300ms"});
  BOOST_TEST(ended.exit_code == 0, ended.err);
  BOOST_TEST(holds(ended.out, "load from 1 host, 2 generators"), ended.out);
  BOOST_TEST(server.of(network.address(0)).accepted == 2u + 4u);
  BOOST_TEST(server.total().accepted == 2u + 4u);
  for (int i = 0; i < 300 && network.processes_in(0).size() > 1; ++i)
    std::this_thread::sleep_for(10ms);
  BOOST_TEST(network.processes_in(0).size() == 1u);  // sshd
}

BOOST_AUTO_TEST_CASE(a_generator_that_is_killed_behind_ssh_is_named) {
  test_network network{1};
  const host_with_sshd host{network, 0};
  const counting_echo server{listen_on(network.own_address())};
  loading_program program{network};
  program.start_with(host.launcher(),
                     {"load", fmt::format("{}:{}", network.own_address(), server.port()), "--from",
                      network.name(0), "--load", "c4/64", "--duration", "60s"});
  while (server.total().received_bytes < 100'000 && program.runs())
    std::this_thread::sleep_for(1ms);
  for (const auto pid : program.generators_on(0)) kill(pid, SIGKILL);
  const auto ended = program.wait(20s);
  BOOST_TEST(ended.exit_code == 6);
  BOOST_TEST(holds(ended.err, network.name(0) + ": "), ended.err);
  for (int i = 0; i < 300 && network.processes_in(0).size() > 1; ++i)
    std::this_thread::sleep_for(10ms);
  BOOST_TEST(network.processes_in(0).size() == 1u);
}
