// generator: load_generator, one thread that loads servers and checks every byte of their replies.
//
//     load_generator client{scenario::parse("c64/512"), seed, stop};
//     auto a = client.add_server("fibers/epoll", address);
//     auto b = client.add_server("asio-callback/epoll", other_address);
//     client.connect(a, 64), client.connect(b, 64);
//     client.start({a, b});                   // loads both from one loop
//     auto samples = client.run(200ms);       // one per server, in the order of start()
//     client.finish();                        // returns when every outstanding reply has come
//
// The client is the same for all servers: bare edge-triggered epoll, each connection registered
// once. A message costs the client one send, one recv and a share of one epoll_wait.
//
// start() runs a closed loop: a connection sends its next message when a reply has come.
// start_at_rate() runs an open loop: messages are due at a fixed rate, and latency counts from
// then. With churn each message has a connection of its own: it is opened for the message and
// closed after the reply, and latency includes the connect().
#pragma once

#include <sys/epoll.h>

#include <atomic>
#include <bench/contract/descriptor.hpp>
#include <bench/load/address.hpp>
#include <bench/load/client.hpp>
#include <bench/load/conversation/conversation.hpp>
#include <bench/load/open_loop.hpp>
#include <bench/load/sample.hpp>
#include <bench/load/secure/client_socket.hpp>
#include <bench/record/scenario.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bench {

class load_generator final : public load_client {
 public:
  // Once `stop` is true, every call throws `interrupted`. `stop` must outlive the generator.
  load_generator(const scenario& shape, std::uint64_t seed, const std::atomic<bool>& stop);

  // The calls of a load_client. Here all of the scenario's connections are loaded by one thread.
  void set_patience(nanoseconds patience) override { patience_ = patience; }
  server_number add_server(std::string name, const address& where) override;
  void connect(server_number number, int total) override;
  void start(const std::vector<server_number>& servers) override;
  void start_at_rate(const std::vector<server_number>& servers, double per_second) override;
  std::vector<load_sample> run(nanoseconds duration) override;
  std::int64_t finish() override;
  std::string prefix(server_number number) const override {
    return servers_.at(number).talk->prefix();
  }

  // Each new connection begins at the next of these addresses, so that one host can have more
  // connections to one server than it has ports. Empty: the kernel chooses the address.
  void set_sources(std::vector<address> sources) { sources_ = std::move(sources); }

  // The whole replies of a server since add_server(), of which each was compared byte by byte.
  std::int64_t replies(server_number number) const { return servers_.at(number).replies; }

  // TCP segments that were sent again on the connections to a server which are open now.
  std::int64_t retransmits(server_number number) const;

  // What the current run() has measured until now. After run() threw: what it had measured then.
  std::vector<load_sample> so_far() const;

  // The messages that were due in the last run(), more than `age` ago, and have no reply, sent or
  // not. Those of a closed loop were due when they were sent.
  std::int64_t overdue(server_number number, nanoseconds age) const;

  // run() calls `look` about once per `every`, for example to show so_far().
  void set_observer(nanoseconds every, std::function<void()> look) {
    look_every_ = every;
    look_ = std::move(look);
  }

 private:
  struct target {
    std::string name;
    address where;
    std::unique_ptr<conversation> talk;
    int connections = 0;
    std::int64_t due = 0;      // outstanding replies
    std::int64_t replies = 0;  // since the beginning
    load_sample sample{};      // of the current run()
    // Open loop: messages due in the current run() that were sent and are not answered yet.
    std::int64_t slice_due = 0;
    std::optional<open_loop> pace{};
  };

  struct connection {
    client_socket socket;
    server_number server;
    std::uint32_t number;
    int place;  // index among the connections to its server
    reply_position replies{};
    std::uint64_t asked = 0;     // messages to be sent, counted from the beginning
    std::uint64_t sent = 0;      // messages sent whole
    std::size_t sent_bytes = 0;  // bytes of the next message that were sent
  };

  struct outstanding {
    std::int64_t due_ns = 0;
    std::int64_t sent_ns = 0;
  };

  void open_connection(server_number target_number);
  void open_again(connection& closing);
  const address* source_of(std::size_t number) const;
  void watch(const connection& opened);
  bool is_loaded(const connection& each) const;
  void ask(connection& asking, int messages, std::int64_t now, std::int64_t due);
  void send_due();
  void go_on(connection& answered, int messages, std::int64_t now);
  void flush(connection& sending);
  std::string_view compose(const connection& sending);
  nanoseconds until_next_due(nanoseconds longest_wait) const;
  void process_events(nanoseconds longest_wait);
  void process(connection& ready, std::uint32_t events);
  void receive(connection& receiving, bool to_the_end);
  void account(connection& receiving, int messages);
  std::int64_t wait_for_replies();
  bool each_answered() const;
  bool slice_answered() const;
  bool is_in_slice(const target& server, std::int64_t due_ns) const;
  void expect_progress(std::int64_t now);
  const outstanding& sent_as(const connection& by, std::uint64_t sequence) const;

  scenario shape_;
  std::uint64_t seed_;
  const std::atomic<bool>& stop_;
  nanoseconds patience_ = std::chrono::seconds{5};
  descriptor epoll_;
  struct {
    std::int64_t start = 0;
    std::int64_t end = 0;
    std::int64_t start_cpu = 0;  // CPU time of this thread at the start
  } slice_;                      // of the current run(), as requested
  std::int64_t next_silence_check_ = 0;
  nanoseconds look_every_{};
  std::function<void()> look_;
  bool sending_ = false;  // a reply causes the next message
  std::vector<target> servers_;
  std::vector<address> sources_;
  std::vector<connection> connections_;  // index: the connection's number
  std::vector<outstanding> asked_;  // due and send time of each message that may be outstanding
  std::vector<server_number> loaded_;
  std::vector<epoll_event> events_;
  std::vector<char> received_;
  std::vector<char> composed_;
  std::minstd_rand random_;
};

}  // namespace bench
