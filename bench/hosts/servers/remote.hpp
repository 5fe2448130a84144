// remote: remote_servers, the servers that a program on another host starts.
//
//     remote_servers there{"server", "10.0.0.2", launcher{"ip netns exec"}, stop};
//     const auto server = there.start(find_server("floor/epoll"), there.about().machine.server_cpu,
//                                     stop);
//     server->cpu_ns();      // asked there
#pragma once

#include <atomic>
#include <bench/hosts/launcher.hpp>
#include <bench/hosts/servers/connection.hpp>
#include <bench/server/anywhere/running.hpp>
#include <memory>
#include <optional>
#include <string>

namespace bench {

class remote_servers final : public server_host {
 public:
  // Clients reach the servers at `address`, which is numeric. Throws as servers_connection does,
  // and so does every call.
  remote_servers(const std::string& host, std::string address, const launcher& shell,
                 const std::atomic<bool>& stop);

  const servers_hello& about() const { return connection_.hello(); }

  // Throws usage_error for a server that listens on a path.
  std::unique_ptr<running_server> start(const server_info& server, std::optional<int> cpu,
                                        const std::atomic<bool>& stop) override;
  processor_times read_processor(std::optional<int> cpu) override;
  std::optional<std::string> why_out_of_reach(const running_server& server) const override;
  bool is_here() const override { return false; }

 private:
  servers_connection connection_;
  std::string address_;
  int started_ = 0;  // how many; their numbers count from 0
};

}  // namespace bench
