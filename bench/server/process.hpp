// process: server_process, a server under test from its start to its end.
//
//     server_process server{{"floor/epoll", "floor_echo --quiet --port 0"}, {.cpu = 0}};
//     server.where();       // the address where it accepts connections
//     server.cpu_ns();      // CPU time so far of all its threads and processes
//
// The server dies with its object and with echobench, even if echobench is killed: the kernel kills
// the server when its parent dies. Its output goes to memory files, so that a server which prints
// much never blocks on a full pipe.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <bench/load/address.hpp>
#include <bench/machine/kernel_counts.hpp>
#include <bench/record/record.hpp>
#include <bench/server/anywhere/running.hpp>
#include <bench/server/family.hpp>
#include <bench/server/output.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace bench {

struct launch_options {
  std::optional<int> cpu;  // absent: not pinned to a CPU
  // How long it may take until it listens: an interpreter needs seconds on a busy machine.
  std::chrono::milliseconds patience{15'000};
  const std::atomic<bool>* stop = nullptr;  // once true, the constructor throws `interrupted`
  // The numeric address at which clients reach it; empty: the one that it announces, or a loopback
  // address.
  std::string reached_at{};
  // True: clients are on other hosts, so it may listen on any address of this one. False: a server
  // that prints no listening line is found on a loopback address only.
  bool for_other_hosts = false;
};

class server_process : public running_server {
 public:
  // Returns once the server listens: it has printed its listening line, or it accepts connections
  // on the port that replaced {port}. Throws not_available if it cannot be started or exits by
  // itself, and server_failed if it crashes, becomes a daemon, or does not listen in time; all say
  // what happened.
  server_process(const server_info& server, const launch_options& options);
  ~server_process() override { stop(); }
  server_process(server_process&& other) noexcept;
  server_process& operator=(server_process&&) = delete;

  const std::string& name() const override { return name_; }
  const address& where() const override { return where_; }
  pid_t pid() const { return pid_; }
  const std::map<std::string, std::string>& announced() const override { return announced_; }

  const std::vector<pid_t>& family() const { return family_.members(); }
  bool count_family() override { return family_.count(); }
  double cpu_ns() const override { return family_.cpu_ns(); }
  std::optional<double> pss_kib() const override { return family_.pss_kib(); }
  bool listens_itself() const override;
  void begin_counting() override { counts_.emplace(family()); }
  call_counts counted() const override {
    return {counts_->system_calls(), counts_->context_switches()};
  }
  void discard_old_output() const override;

  void signal(int number) const;

  // SIGSTOP and SIGCONT to its whole process group.
  void pause() const;
  void resume() const;

  void expect_foreground() override;
  std::optional<std::string> obituary() override;

  // request_stop() sends SIGTERM. stop() does the same, waits up to 1 s for the end, then sends
  // SIGKILL to the whole process group and to all else that the server started. Both may be called
  // again.
  void request_stop() override;
  void stop();

 private:
  void start(const std::vector<std::string>& words, std::optional<int> cpu);
  void wait_until_listening(std::uint16_t port, const launch_options& options);
  [[noreturn]] void fail_to_begin(const std::string& end);
  bool read_listening_line();
  bool has_ended();
  void let_launcher_end();

  std::string name_;
  pid_t pid_ = -1;
  std::string mark_;    // a variable of its environment, by which all that it starts is found
  std::string ending_;  // how it ended; empty while it runs
  process_family family_;
  std::optional<kernel_counts> counts_;
  std::string path_;  // of its Unix socket; empty unless the command contains {path}
  address where_;
  std::map<std::string, std::string> announced_;
  server_output output_;
  server_output errors_;
};

// Pauses a server for `length`, beginning `begins` from now. The destructor waits for the end of
// the pause.
class standstill {
 public:
  standstill(const server_process& server, std::chrono::milliseconds begins,
             std::chrono::milliseconds length);

 private:
  std::jthread thread_;
};

}  // namespace bench
