// A process that is stopped or gone, connections without an answer and a launcher that hangs are
// found, and named with their host.
#include <bench/hosts/diagnosis.hpp>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <chrono>

#include <tests/texts.hpp>

using namespace std::chrono_literals;
using bench::diagnose;
using bench::finding_in;

namespace {

class sleeping_process {
 public:
  sleeping_process() : pid{fork()} {
    if (pid != 0) return;
    for (;;) pause();
  }
  ~sleeping_process() { end(); }
  sleeping_process(const sleeping_process&) = delete;
  sleeping_process& operator=(const sleeping_process&) = delete;

  void halt() const {
    kill(pid, SIGSTOP);
    waitpid(pid, nullptr, WUNTRACED);
  }
  void end() {
    if (ended_) return;
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    ended_ = true;
  }

  const pid_t pid;

 private:
  bool ended_ = false;
};

// Asks this machine in the name of any host.
const bench::launcher& here() {
  static const bench::launcher shell{"env HOST={host}"};
  return shell;
}

// As /proc/net/tcp shows a socket in that state whose segment was sent again so often.
std::string tcp_line(const std::string& state, const std::string& sent_again) {
  return "   0: 0100007F:61A8 0200007F:A0B2 " + state + " 00000000:00000000 01:00000014 " +
         sent_again + "     0        0 12345 1 0000000000000000 20 4 30 10 -1";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(diagnoses)

BOOST_AUTO_TEST_CASE(an_output_without_anything_wrong_has_no_finding) {
  BOOST_TEST(finding_in("a", {}).empty());
  BOOST_TEST(finding_in("a", {"812 (echobench_gener) S 1 812 812 0 -1 4194560",
                              "813 (echobench_gener) R 1 812 812 0 -1 4194560",
                              "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when "
                              "retrnsmt   uid  timeout inode",
                              tcp_line("01", "00000000"), tcp_line("01", "00000002")})
                 .empty());
}

BOOST_AUTO_TEST_CASE(a_generator_that_is_stopped_or_gone_is_named) {
  BOOST_TEST(finding_in("a", {"812 (echobench_gener) T 1 812"}) ==
             "a: its generator 812 is stopped");
  BOOST_TEST(finding_in("a", {"812 (a name) with) t 1 812"}) == "a: its generator 812 is stopped");
  BOOST_TEST(finding_in("a", {"812 (T T) S 1 812"}).empty());
  BOOST_TEST(finding_in("a", {"812 (echobench_gener) S 1 812", "gone 813"}) ==
             "a: its generator 813 is gone");
}

BOOST_AUTO_TEST_CASE(connections_without_an_answer_are_told_after_processes) {
  const std::string finding = "a: its connections get no answer";
  BOOST_TEST(finding_in("a", {tcp_line("02", "00000000")}) == finding);
  BOOST_TEST(finding_in("a", {tcp_line("01", "00000003")}) == finding);
  BOOST_TEST(finding_in("a", {tcp_line("02", "00000000"), "gone 813"}) ==
             "a: its generator 813 is gone");
}

BOOST_AUTO_TEST_CASE(a_process_that_is_stopped_is_found_and_one_that_runs_is_not) {
  const sleeping_process well, stopped;
  BOOST_TEST(!contains(diagnose(here(), {{"a", {well.pid}}}), "generator"));
  stopped.halt();
  BOOST_TEST(diagnose(here(), {{"a", {well.pid}}, {"b", {well.pid, stopped.pid}}}) ==
             "b: its generator " + std::to_string(stopped.pid) + " is stopped");
}

BOOST_AUTO_TEST_CASE(a_process_that_is_gone_is_found) {
  sleeping_process gone;
  gone.end();
  BOOST_TEST(diagnose(here(), {{"a", {gone.pid}}}) ==
             "a: its generator " + std::to_string(gone.pid) + " is gone");
}

BOOST_AUTO_TEST_CASE(a_host_without_processes_can_be_asked) {
  BOOST_TEST(!contains(diagnose(here(), {{"a", {}}}), "generator"));
}

BOOST_AUTO_TEST_CASE(a_launcher_that_hangs_is_named_with_its_host_in_time) {
  const bench::launcher hanging{"sh -c 'case $0 in slow) sleep 60;; *) shift; \"$@\";; esac'"};
  const auto begun = std::chrono::steady_clock::now();
  BOOST_TEST(diagnose(hanging, {{"slow", {getpid()}}}) == "slow: the launcher gets no answer");
  const auto took = std::chrono::steady_clock::now() - begun;
  BOOST_TEST((took >= 1s));
  BOOST_TEST((took < 4s));
}

BOOST_AUTO_TEST_CASE(what_another_host_says_is_told_before_a_launcher_that_hangs) {
  const bench::launcher hanging{"sh -c 'case $0 in slow) sleep 60;; *) \"$@\";; esac'"};
  sleeping_process gone;
  gone.end();
  BOOST_TEST(diagnose(hanging, {{"slow", {}}, {"b", {gone.pid}}}) ==
             "b: its generator " + std::to_string(gone.pid) + " is gone");
}

BOOST_AUTO_TEST_SUITE_END()
