// loading: echobench as it loads a server from hosts of a test_network, and what is left of it.
//
//     loading_program program{network};
//     program.start({"load", target, "--from", program.from({2, 1})});   // 2 generators on host 0
//     const auto generators = program.generators_on(1);
//     const auto ended = program.wait(60s);
//     BOOST_TEST(program.left_after(3s).empty());
#pragma once

#include <sys/types.h>

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include <tests/bench/command/echobench.hpp>
#include <tests/bench/hosts/namespaces.hpp>

// Skips a test program where hosts, mpirun or generators are missing:
//     BOOST_TEST_GLOBAL_CONFIGURATION(permitted_loads);
struct permitted_loads {
  permitted_loads();
};

// A process, which no later one with its number is mistaken for.
struct known_process {
  pid_t pid = 0;
  unsigned long long started = 0;
  std::string name;

  bool is_there() const;
};

class loading_program {
 public:
  explicit loading_program(test_network& network) : network_{network} {}
  ~loading_program();
  loading_program(const loading_program&) = delete;
  loading_program& operator=(const loading_program&) = delete;

  // "ebt1234a0:2,ebt1234a1": so many generators on each host.
  std::string from(const std::vector<int>& generators) const;
  // Starts a program on a host.
  std::string launcher() const { return network_.words_in(0, {})[0] + " netns exec"; }
  // With --from, the launcher is added.
  void start(words arguments);
  void start_with(const std::string& launcher, words arguments);
  outcome run(const words& arguments);
  // Kills it if it has not ended by itself; then the exit code is -1.
  outcome wait(std::chrono::seconds longest = std::chrono::seconds{60});

  bool runs() const;
  void interrupt() const;  // as Ctrl-C does

  // The processes of that name on a host.
  std::vector<pid_t> on(std::size_t host, const std::string& name) const;
  std::vector<pid_t> generators_on(std::size_t host) const { return on(host, "echobench_gener"); }

  // Remembers what it has started until now: see left_after().
  void look();
  // What of that, or of the processes on the hosts, is there after so long.
  std::vector<std::string> left_after(std::chrono::milliseconds longest);

  const scratch_folder& folder() const { return program_.folder; }
  void wait_for_a_block() const { program_.wait_for_a_block(); }

 private:
  std::vector<std::string> left() const;

  test_network& network_;
  echobench program_;
  bool started_ = false;
  std::map<pid_t, known_process> seen_;
};
