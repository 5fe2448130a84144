// connection: servers_connection, the program echobench_servers on another host, from its start to
// its end.
//
//     servers_connection there{"server", launcher{"ip netns exec"}, stop};
//     there.hello().machine.cpus;
//     there.ask({.wish = server_wish::cpu_ns, .server = 0}).number;
//
// The program ends with the connection, and all servers with the program.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <bench/contract/descriptor.hpp>
#include <bench/hosts/launcher.hpp>
#include <bench/hosts/servers/orders.hpp>
#include <bench/server/output.hpp>
#include <chrono>
#include <optional>
#include <string>

namespace bench {

class servers_connection {
 public:
  using milliseconds = std::chrono::milliseconds;

  // So long the program may be silent.
  static constexpr milliseconds longest_silence{5000};

  // Starts the program and hears from it. Throws host_failed, which names the host, if it cannot be
  // started, is of another build or has not said hello after 7 s; usage_error if this build has no
  // such program. Once `stop` is true, this and ask() throw `interrupted`.
  servers_connection(std::string host, const launcher& shell, const std::atomic<bool>& stop);
  ~servers_connection();
  servers_connection(const servers_connection&) = delete;
  servers_connection& operator=(const servers_connection&) = delete;

  const std::string& host() const { return host_; }
  const servers_hello& hello() const { return hello_; }

  // Throws what the order failed of, with the name of the host, and host_failed if the connection
  // is gone or the program has been silent for `silence`. After that every call throws the same.
  server_answer ask(const server_order& order, milliseconds silence = longest_silence);

 private:
  void start();
  void get_to_know();
  void send(const std::string& text);
  std::string next_line(std::chrono::steady_clock::time_point until);
  std::optional<std::string> take_line();
  bool has_ended();
  bool wait_for_end(milliseconds longest);
  void end_launcher();
  void end_program_there();
  std::string last_words() const;
  std::string reason_of_silence() const;
  std::string reason_of_end() const;
  [[noreturn]] void fail(const std::string& reason);
  [[noreturn]] void fail_by_end();

  std::string host_;
  launcher shell_;
  const std::atomic<bool>& stop_;
  std::string program_;  // its path, which is the same on all hosts
  server_output errors_;
  descriptor socket_;
  std::string unread_;
  std::string greeting_;                    // the last line before the hello; empty: there was none
  milliseconds silence_ = longest_silence;  // so long the program may be silent now
  pid_t pid_ = -1;                          // of the launcher
  std::string ending_;                      // how that ended; empty: it runs, or did not start
  servers_hello hello_;                     // `build` is empty until it has come
  std::optional<std::string> failure_;
};

}  // namespace bench
