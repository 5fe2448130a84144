// client: load_client, what loads servers, wherever its connections come from.
//
//     std::unique_ptr<load_client> client = make_client(scenario::parse("c64/512"));
//     auto a = client->add_server("fibers/epoll", address);
//     client->connect(a, 64);
//     client->start({a});
//     auto samples = client->run(200ms);       // one per server, in the order of start()
//     client->finish();                        // returns when every outstanding reply has come
//
// load_generator is the client in this process, with one thread; `fleet` makes clients that stand
// for generators on many hosts. Once the program is told to stop, every call throws `interrupted`.
#pragma once

#include <bench/load/address.hpp>
#include <bench/load/sample.hpp>
#include <bench/record/scenario.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace bench {

class load_client {
 public:
  using nanoseconds = std::chrono::nanoseconds;
  using server_number = std::size_t;

  load_client() = default;
  load_client(const load_client&) = delete;
  load_client& operator=(const load_client&) = delete;
  virtual ~load_client() = default;

  // How long a server may owe a reply before it counts as failed. Default: 5 s.
  virtual void set_patience(nanoseconds patience) = 0;

  // Finds out over a connection of its own how the server replies, see begin_conversation().
  // Returns the number of the server.
  virtual server_number add_server(std::string name, const address& where) = 0;

  // Opens connections until the server has `total`; each new one echoes `depth` messages once. Only
  // the first `connections` of the scenario are loaded later; the others stay idle.
  virtual void connect(server_number number, int total) = 0;

  // Loads these servers from now on in a closed loop. Each batch of events is handled in a random
  // order of the servers, so none of them is always first.
  virtual void start(const std::vector<server_number>& servers) = 0;

  // The same in an open loop: `per_second` messages per second are due from each of these servers.
  virtual void start_at_rate(const std::vector<server_number>& servers, double per_second) = 0;

  // Loads the servers for `duration` and returns one sample per server, in the order of start(). A
  // closed loop ends late by at most one batch of events. An open loop ends when the messages that
  // were due in `duration` have been answered; it waits for them as long again, but at least 0.5 s
  // and at most 2 s. Throws no_answer if a message has had no reply for the patience.
  virtual std::vector<load_sample> run(nanoseconds duration) = 0;

  // Sends nothing more and waits for the outstanding replies. Returns how many there were.
  virtual std::int64_t finish() = 0;

  virtual std::string prefix(server_number number) const = 0;
};

using make_load_client = std::function<std::unique_ptr<load_client>(const scenario& shape)>;

}  // namespace bench
