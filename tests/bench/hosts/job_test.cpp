// What mpirun prints when a load ends early becomes one line that names the host.
#include <bench/hosts/job.hpp>

#include <boost/test/unit_test.hpp>
#include <sstream>

#include <tests/texts.hpp>

using bench::hosts_by_rank;
using bench::parse_hosts;

namespace {

using host_names = std::vector<std::string>;

// Ranks 1 and 2 are on a, rank 3 on b.
std::string reason_of(const std::string& output) {
  std::vector<std::string> lines;
  std::istringstream in{output};
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return bench::reason_in(lines, hosts_by_rank(parse_hosts({.from = "a:2,b"})));
}

// These texts are what Open MPI 4.1.4 prints.
constexpr const char* aborted = R"(------------------------------------------------
Primary job  terminated normally, but 1 process returned
a non-zero exit code. Per user-direction, the job has been aborted.
------------------------------------------------
)";

constexpr const char* lost_daemon = R"(------------------------------------------------
ORTE has lost communication with a remote daemon.

  HNP daemon   : [[27074,0],0] on node here
  Remote daemon: [[27074,0],1] on node b

This is usually due to either a failure of the TCP network
connection to the node, or possibly an internal failure of
the daemon itself. We cannot recover from this failure, and
therefore will terminate the job.
------------------------------------------------
)";

constexpr const char* missing_program = R"(------------------------------------------------
mpirun was unable to launch the specified application as it could not access
or execute an executable:

Executable: /opt/bin/echobench_generator
Node: a

while attempting to start process rank 1.
------------------------------------------------
)";

constexpr const char* no_daemon = R"(------------------------------------------------
ORTE was unable to reliably start one or more daemons.
This usually is caused by:

* not finding the required libraries and/or binaries on
  one or more nodes. Please check your PATH and LD_LIBRARY_PATH
  settings, or configure OMPI with --enable-orterun-prefix-by-default
)";

}  // namespace

BOOST_AUTO_TEST_SUITE(jobs)

BOOST_AUTO_TEST_CASE(rank_0_is_here_and_the_others_follow_the_hosts) {
  const host_names wanted{"localhost", "a", "a", "b"};
  BOOST_TEST(hosts_by_rank(parse_hosts({.from = "a:2,b"})) == wanted,
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_rank_that_a_signal_ended_is_told_by_the_name_of_its_host) {
  const auto killed = [](const char* rank, const char* how) {
    return reason_of(std::string{aborted} + "mpirun noticed that process rank " + rank +
                     " with PID 1419 on node other exited on signal " + how + ".\n");
  };
  BOOST_TEST(killed("2", "9 (Killed)") == "a: the generator of rank 2 exited on signal 9 (Killed)");
  BOOST_TEST(killed("3", "11 (Segmentation fault)") ==
             "b: the generator of rank 3 exited on signal 11 (Segmentation fault)");
  BOOST_TEST(killed("4", "9 (Killed)") ==
             "other: the generator of rank 4 exited on signal 9 (Killed)");
}

BOOST_AUTO_TEST_CASE(a_daemon_that_is_lost_is_told) {
  BOOST_TEST(reason_of(lost_daemon) == "b: the connection to its daemon was lost");
}

BOOST_AUTO_TEST_CASE(a_daemon_that_was_killed_is_told_by_the_launcher) {
  BOOST_TEST(reason_of("Killed\nb: exit code 137 of the launcher\n" + std::string{lost_daemon}) ==
             "b: exit code 137 of the launcher");
  BOOST_TEST(reason_of("[here:20371] plm:rsh: Warning: setpgid(20397,20397) failed in parent\n"
                       "b: exit code 137 of the launcher\n") == "b: exit code 137 of the launcher");
}

BOOST_AUTO_TEST_CASE(what_a_launcher_says_before_it_fails_is_told) {
  BOOST_TEST(reason_of("Cannot open network namespace \"b\": No such file or directory\n"
                       "b: exit code 1 of the launcher\n" +
                       std::string{no_daemon}) ==
             "b: Cannot open network namespace \"b\": No such file or directory, exit code 1 of "
             "the launcher");
}

BOOST_AUTO_TEST_CASE(a_program_that_is_missing_is_told) {
  BOOST_TEST(reason_of(missing_program) ==
             "a: it has no echobench_generator where this host has it");
}

BOOST_AUTO_TEST_CASE(an_output_that_names_no_host_has_no_reason) {
  BOOST_TEST(reason_of("").empty());
  BOOST_TEST(reason_of("generator a 812\ngenerator b 7\n").empty());
  BOOST_TEST(reason_of(aborted).empty());
  BOOST_TEST(reason_of(no_daemon).empty());
}

BOOST_AUTO_TEST_CASE(a_build_without_generators_says_how_to_get_them) {
  const auto why = bench::why_no_generators();
  BOOST_TEST((why.empty() || contains(why, "apt-get install ")), why);
}

BOOST_AUTO_TEST_SUITE_END()
