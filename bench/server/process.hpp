// server process: a program under test, from its start to its end.
//
//     server_process server{{"floor/epoll", "floor_echo --quiet --port 0"}, {.cpu = 0}};
//     server.where();       // it accepts connections there
//     server.cpu_ns();      // process CPU so far, all threads
//
// It does not outlive its object, nor echobench, however that ends: the kernel kills it when its
// parent dies. Its output goes to memory files, so a talkative server never waits for a reader.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <bench/contract/descriptor.hpp>
#include <bench/load/address.hpp>
#include <bench/record/record.hpp>
#include <bench/server/family.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace bench {

struct launch_options {
  std::optional<int> cpu;                    // absent: not pinned
  std::chrono::milliseconds patience{5000};  // how long it may take to listen
  const std::atomic<bool>* stop = nullptr;   // once true, starting throws `interrupted`
};

class server_process {
 public:
  // Returns once the server listens: it has printed its listening line, or accepts connections on
  // the port that took the place of {port}. Throws server_failed that says what happened instead.
  server_process(const server_info& server, const launch_options& options);
  ~server_process() { stop(); }
  server_process(server_process&& other) noexcept;
  server_process& operator=(server_process&&) = delete;

  const std::string& name() const { return name_; }
  const address& where() const { return where_; }
  pid_t pid() const { return pid_; }

  // The key=value pairs of the listening line; empty where it printed none.
  const std::map<std::string, std::string>& announced() const { return announced_; }

  // Its processes: see process_family. They were counted when it listened.
  const std::vector<pid_t>& family() const { return family_.members(); }
  bool count_family() { return family_.count(); }
  double cpu_ns() const { return family_.cpu_ns(); }
  std::optional<double> pss_kib() const { return family_.pss_kib(); }

  // Whether one of them has the socket that clients reach; true where that cannot be told.
  bool listens_itself() const;

  void signal(int number) const;

  // Itself and all that it has started stop where they are, and go on.
  void pause() const;
  void resume() const;

  // How it ended and its last line on standard error; absent while it runs.
  std::optional<std::string> obituary();

  // stop(): SIGTERM, a second to end by itself, then SIGKILL to its whole process group.
  // Idempotent.
  void request_stop();
  void stop();

 private:
  void start(const std::vector<std::string>& arguments, std::optional<int> cpu);
  void wait_until_listening(std::uint16_t port, const launch_options& options);
  [[noreturn]] void fail_to_begin(const std::string& end) const;
  bool read_listening_line();
  bool has_ended();

  std::string name_;
  pid_t pid_ = -1;
  std::string ending_;  // how it ended; empty while it runs
  process_family family_;
  std::string path_;  // of its socket, where {path} was asked for
  address where_;
  std::map<std::string, std::string> announced_;
  descriptor output_;
  descriptor errors_;
};

// A while from now the server pauses for a while. The object waits for that when it ends.
class standstill {
 public:
  standstill(const server_process& server, std::chrono::milliseconds begins,
             std::chrono::milliseconds length);

 private:
  std::jthread thread_;
};

}  // namespace bench
