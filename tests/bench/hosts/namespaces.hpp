// test_network: several hosts on this machine, each a network namespace, joined by a switch.
//
//     test_network network{2};
//     run_program(network.words_in(0, {"ping", "-c1", network.address(1)}));
//     network.cut(1);   // as if the cable of the second host were pulled out of the switch
//
// The switch is a bridge in a namespace of its own. This machine is plugged in as well: so a
// process outside the hosts reaches each of them, and they reach it under own_address().
//
// The names contain the number of this process. A process that is killed leaves its hosts behind;
// the next test_network, of whichever process, removes them.
#pragma once

#include <sys/types.h>

#include <bench/contract/descriptor.hpp>
#include <cstddef>
#include <future>
#include <string>
#include <vector>

class test_network {
 public:
  // Throws std::runtime_error, which says what this machine refuses.
  explicit test_network(std::size_t hosts);
  // Kills what still runs in the hosts.
  ~test_network();
  test_network(const test_network&) = delete;
  test_network& operator=(const test_network&) = delete;

  // Why this process can have no such network here; empty if it can.
  static const std::string& why_not();

  std::size_t size() const { return hosts_; }
  std::string name(std::size_t host) const { return name_ + std::to_string(host); }
  std::string address(std::size_t host) const { return prefix_ + std::to_string(host + 1); }
  std::string own_address() const { return prefix_ + "254"; }

  // The command that runs `words` on a host.
  std::vector<std::string> words_in(std::size_t host, const std::vector<std::string>& words) const;
  // The processes on a host, apart from threads that in_host() has begun.
  std::vector<pid_t> processes_in(std::size_t host) const;

  // Calls `work` in a thread on that host and returns its result. A socket that `work` makes stays
  // on the host, whichever thread uses it.
  template <typename Work>
  auto in_host(std::size_t host, Work work) const {
    return within(name(host), std::move(work));
  }

  // A host that is cut off keeps its address and its routes, and hears nothing.
  void cut(std::size_t host);
  void heal(std::size_t host);
  // Both directions of a host's line carry no more than that.
  void limit(std::size_t host, double bits_per_second);
  void lift_limit(std::size_t host);

  // For another kind of line (line.hpp): its ends are `host_end` in the host and port(host) in the
  // switch. settle() gives both what they need and raises them. A new line has no limit.
  static constexpr const char* host_end = "lan";
  static std::string port(std::size_t host) { return "port" + std::to_string(host); }
  void unplug(std::size_t host);
  void plug(std::size_t host);
  void settle(std::size_t host);
  template <typename Work>
  auto in_switch(Work work) const {
    return within(switch_name(), std::move(work));
  }

 private:
  template <typename Work>
  static auto within(const std::string& name, Work work) {
    return std::async(std::launch::async,
                      [&] {
                        enter(name);
                        return work();
                      })
        .get();
  }
  static void enter(const std::string& name);

  std::string switch_name() const { return name_ + "s"; }
  void choose_addresses(std::size_t number);
  void make_switch();
  void remove();

  std::size_t hosts_;
  std::string name_;
  std::string prefix_;       // of the addresses: "10.131.7."
  bench::descriptor claim_;  // of these addresses, so that no other process takes them
};

// Skips a test program where no such network can be made:
//     BOOST_TEST_GLOBAL_CONFIGURATION(permitted_network);
struct permitted_network {
  permitted_network();
};
