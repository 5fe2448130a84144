// running: running_server, a server under test wherever it runs, and server_host, which starts it.
//
//     this_host here;
//     const auto server = here.start(find_server("floor/epoll"), 0, stop);
//     server->where();       // the address where clients reach it
//     server->cpu_ns();      // CPU time so far of all its threads and processes
//
// server_process is a server on this host; bench/hosts/servers/ has those on another one. There,
// every call but name(), where(), announced() and listens_itself() is a question to that host, and
// throws host_failed, which names it, if it does not answer.
#pragma once

#include <atomic>
#include <bench/load/address.hpp>
#include <bench/machine/machine.hpp>
#include <bench/record/record.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace bench {

// See kernel_counts.
struct call_counts {
  std::optional<std::int64_t> system_calls;  // absent: counting is not permitted there
  std::int64_t context_switches = 0;
};

class running_server {
 public:
  running_server() = default;
  running_server(const running_server&) = delete;
  running_server& operator=(const running_server&) = delete;
  virtual ~running_server() = default;  // stops it

  virtual const std::string& name() const = 0;

  // Where clients reach it.
  virtual const address& where() const = 0;

  // The key=value pairs of the listening line; empty if the server printed none.
  virtual const std::map<std::string, std::string>& announced() const = 0;

  // True if one of its processes has the socket that clients reach, or if that cannot be found out.
  virtual bool listens_itself() const = 0;

  // Its processes: see process_family. The first count is made when the server listens.
  virtual bool count_family() = 0;
  virtual double cpu_ns() const = 0;
  virtual std::optional<double> pss_kib() const = 0;

  // Counts the system calls and context switches of its processes from now on, and tells how many
  // there were since. Precondition of counted(): begin_counting().
  virtual void begin_counting() = 0;
  virtual call_counts counted() const = 0;

  // Frees memory if the server has printed much. Call it now and then: nothing else bounds it.
  virtual void discard_old_output() const = 0;

  // Throws server_failed if the process that was started has ended and left others to serve.
  virtual void expect_foreground() = 0;

  // How the server ended and its last line on standard error; nullopt while it runs.
  virtual std::optional<std::string> obituary() = 0;

  // Tells it to end, and does not wait. Never throws. May be called again.
  virtual void request_stop() = 0;

 protected:
  running_server(running_server&&) = default;
};

// Where servers are started. It must outlive them.
class server_host {
 public:
  server_host() = default;
  server_host(const server_host&) = delete;
  server_host& operator=(const server_host&) = delete;
  virtual ~server_host() = default;

  // Returns once the server listens. `cpu`: absent: not pinned. Throws what the constructor of
  // server_process throws; once `stop` is true, `interrupted`.
  virtual std::unique_ptr<running_server> start(const server_info& server, std::optional<int> cpu,
                                                const std::atomic<bool>& stop) = 0;

  // See processor_times::read().
  virtual processor_times read_processor(std::optional<int> cpu) = 0;

  // Why nothing can reach a server that runs; nullopt: a connection can be opened from here or is
  // refused. Takes up to two seconds.
  virtual std::optional<std::string> why_out_of_reach(const running_server& server) const = 0;

  // False: its processors are not those of the calling thread.
  virtual bool is_here() const = 0;
};

class this_host final : public server_host {
 public:
  // `reached_at`: the numeric address at which clients reach the servers; empty: where each server
  // says that it listens, or a loopback address.
  explicit this_host(std::string reached_at = {}) : reached_at_{std::move(reached_at)} {}

  std::unique_ptr<running_server> start(const server_info& server, std::optional<int> cpu,
                                        const std::atomic<bool>& stop) override;
  processor_times read_processor(std::optional<int> cpu) override;
  std::optional<std::string> why_out_of_reach(const running_server&) const override { return {}; }
  bool is_here() const override { return true; }

 private:
  std::string reached_at_;
};

}  // namespace bench
