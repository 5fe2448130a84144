// server_process: starts a server under test, reads its output, observes it and ends it.
//
//     server_process server{{"--idle-timeout", "1s"}};   // adds --port 0 and --quiet
//     echo_client client{server.port()};
//     server.signal(SIGTERM);
//     BOOST_TEST(server.wait() == 0);
//
// The command line of the test names the server and its usual arguments after `--`. If a test case
// passes --io itself, it replaces the one given there. A number of --threads is not passed to a
// server with a thread per connection, which has several threads in any case.
// The destructor kills the server. The kernel kills it if the test is killed.
#pragma once

#include <sys/types.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <tests/sanitized.hpp>

using std::chrono::milliseconds;
using std::chrono::seconds;

// A sanitizer reserves more address space than any useful limit allows.
inline boost::test_tools::assertion_result memory_can_be_limited(boost::unit_test::test_unit_id) {
  boost::test_tools::assertion_result limited{!sanitized};
  limited.message() << "a sanitizer needs all addresses";
  return limited;
}

// A sanitizer reports each SIGSEGV as an error of the program.
inline boost::test_tools::assertion_result no_sanitizer_watches(boost::unit_test::test_unit_id) {
  boost::test_tools::assertion_result alone{!sanitized};
  alone.message() << "a sanitizer has a handler of its own";
  return alone;
}

// The label of cases in which a server has several threads. ThreadSanitizer has nothing to find in
// the others, so its build runs only these.
inline const boost::unit_test::label several_threads{"several_threads"};

// The longest wait for anything. A test case that waits this long has failed.
constexpr seconds patience{sanitized ? 40 : 10};

using arguments = std::vector<std::string>;

struct process_limits {
  std::optional<unsigned long> descriptors = {};  // soft and hard limit
  std::optional<unsigned long> memory = {};       // bytes of address space
  bool io_uring = true;                           // false: seccomp forbids it, as in containers
  bool steering = true;                           // false: seccomp forbids it
  std::vector<int> closed = {};                   // standard descriptors that it starts without
  bool hangup = true;                             // false: SIGHUP is ignored, as under nohup
  std::string errors = {};                        // a file that gets its standard error
  std::string output = {};                        // a file that gets its standard output
  std::optional<unsigned long> file_size = {};    // bytes that a file may have
};

// Raises this program's limit, which the servers inherit. False: the hard limit is lower.
bool raise_descriptor_limit(unsigned long wanted);

class server_process {
 public:
  enum class voice { quiet, speaking };
  using limits = process_limits;

  // Starts the server and reads its listening line. Throws std::runtime_error if there is none. A
  // server whose standard output is closed or a file has no line here.
  explicit server_process(const arguments& extra = {}, voice speech = voice::quiet,
                          limits limited = {});
  ~server_process();
  server_process(const server_process&) = delete;
  server_process& operator=(const server_process&) = delete;

  pid_t pid() const { return pid_; }
  int port() const { return std::stoi(announced("port")); }
  std::string announced(const std::string& key) const;  // empty if the line lacks the key
  const std::string& listening_line() const { return listening_line_; }

  // The next line of standard output. Throws std::runtime_error if none arrives.
  std::string read_line();

  void signal(int number) const;
  int wait();  // the exit code, negative for a signal; throws if the server does not end
  std::chrono::nanoseconds cpu_time() const;
  long resident_kib() const;
  long peak_resident_kib() const;
  long sleeps() const;        // voluntary context switches of all threads
  bool falls_asleep() const;  // waits until all threads sleep; false: they do not
  int threads() const;
  bool has_loops() const;                        // false: it has a thread per connection
  std::size_t descriptors() const;               // number of open ones
  bool comes_to(std::size_t descriptors) const;  // waits until it has so many; false: it has not
  bool ends_at_1024() const;                     // it cannot have more descriptors
  bool has_descriptor(const std::string& kind) const;  // as /proc names it: anon_inode:[eventpoll]

 private:
  void end();
  std::string status(const std::string& field) const;

  pid_t pid_ = -1;
  int output_ = -1;
  std::string unread_;
  std::string listening_line_;
  std::map<std::string, std::string> announced_;
};

struct finished_program {
  int exit_code;
  std::string output;
  std::string errors;
};

// Runs the server with these arguments, after those that follow `--`, and waits until it ends.
finished_program run_server(const arguments& extra, server_process::limits limited = {});
