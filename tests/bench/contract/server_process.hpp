// server_process: a server under test, as a program that is started, read, measured and ended.
//
//     server_process server{{"--idle-timeout", "1s"}};   // on any port, and --quiet
//     echo_client client{server.port()};
//     server.signal(SIGTERM);
//     BOOST_TEST(server.wait() == 0);
//
// Which program, and what it is always given, stands behind `--` on the command line of the test.
// An --io of a fact's own takes the place of that one.
// Whatever happens the process ends with this object, and with the test if that is killed.
#pragma once

#include <sys/types.h>

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

using std::chrono::milliseconds;
using std::chrono::seconds;

// Sanitizers cost a multiple of the time; facts that count get fewer, deadlines are longer.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif

// A sanitizer reserves more addresses than any limit leaves.
inline boost::test_tools::assertion_result memory_can_be_limited(boost::unit_test::test_unit_id) {
  boost::test_tools::assertion_result limited{!sanitized};
  limited.message() << "a sanitizer needs all addresses";
  return limited;
}

// Long enough for the slowest machine; a fact that waits this long has failed.
constexpr seconds patience{sanitized ? 40 : 10};

using arguments = std::vector<std::string>;

struct process_limits {
  std::optional<unsigned long> descriptors = {};  // both of ulimit -n
  std::optional<unsigned long> memory = {};       // bytes of address space
  bool io_uring = true;                           // false: forbidden by seccomp, as in containers
};

class server_process {
 public:
  enum class voice { quiet, speaking };
  using limits = process_limits;

  // Starts it and reads the listening line. Throws std::runtime_error where there is none.
  explicit server_process(const arguments& extra = {}, voice speech = voice::quiet,
                          limits limited = {});
  ~server_process();
  server_process(const server_process&) = delete;
  server_process& operator=(const server_process&) = delete;

  pid_t pid() const { return pid_; }
  int port() const { return std::stoi(announced("port")); }
  std::string announced(const std::string& key) const;  // empty where the line does not have it
  const std::string& listening_line() const { return listening_line_; }

  // The next line of its standard output. Throws if none comes.
  std::string read_line();

  void signal(int number) const;
  int wait();  // its exit code, negative for a signal; throws if it does not end
  std::chrono::nanoseconds cpu_time() const;
  long resident_kib() const;
  long sleeps() const;        // how often its threads went to sleep
  bool falls_asleep() const;  // waits until all of them sleep; false: they do not
  int threads() const;
  std::size_t descriptors() const;                     // how many are open
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

// Runs it with exactly these arguments (and those behind `--`) to its end.
finished_program run_server(const arguments& extra, server_process::limits limited = {});
