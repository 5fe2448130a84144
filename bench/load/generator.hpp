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

class load_generator {
 public:
  using nanoseconds = std::chrono::nanoseconds;
  using server_number = std::size_t;

  // Once `stop` is true, every call throws `interrupted`. `stop` must outlive the generator.
  load_generator(const scenario& shape, std::uint64_t seed, const std::atomic<bool>& stop);
  load_generator(const load_generator&) = delete;
  load_generator& operator=(const load_generator&) = delete;

  // How long a server may owe a reply before it counts as failed. Default: 5 s.
  void set_patience(nanoseconds patience) { patience_ = patience; }

  // Finds out over a connection of its own how the server replies, see begin_conversation().
  // Returns the number of the server.
  server_number add_server(std::string name, const address& where);

  // Opens connections until the server has `total`; each new one echoes `depth` messages once. Only
  // the first `connections` of the scenario are loaded later; the others stay idle.
  void connect(server_number number, int total);

  // Loads these servers from now on in a closed loop. Each batch of events is handled in a random
  // order of the servers, so none of them is always first.
  void start(const std::vector<server_number>& servers);

  // The same in an open loop: `per_second` messages per second are due from each of these servers.
  void start_at_rate(const std::vector<server_number>& servers, double per_second);

  // Loads the servers for `duration` and returns one sample per server, in the order of start(). A
  // closed loop ends late by at most one batch of events. An open loop ends when the messages that
  // were due in `duration` have been answered; it waits for them as long again, but at least 0.5 s
  // and at most 2 s. Throws no_answer if a message has had no reply for the patience.
  std::vector<load_sample> run(nanoseconds duration);

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

  // Sends nothing more and waits for the outstanding replies. Returns how many there were.
  std::int64_t finish();

  std::string prefix(server_number number) const { return servers_.at(number).talk->prefix(); }

 private:
  struct target {
    std::string name;
    address where;
    std::unique_ptr<conversation> talk;
    int connections = 0;
    std::int64_t due = 0;  // outstanding replies
    load_sample sample{};  // of the current run()
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
  std::vector<connection> connections_;  // index: the connection's number
  std::vector<outstanding> asked_;  // due and send time of each message that may be outstanding
  std::vector<server_number> loaded_;
  std::vector<epoll_event> events_;
  std::vector<char> received_;
  std::vector<char> composed_;
  std::minstd_rand random_;
};

}  // namespace bench
