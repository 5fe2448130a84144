// load generator: one thread that keeps servers busy and checks every byte they answer.
//
//     load_generator client{scenario::parse("c64/512"), seed, stop};
//     auto a = client.add_server("fibers/epoll", address);
//     auto b = client.add_server("asio-callback/epoll", other_address);
//     client.connect(a, 64), client.connect(b, 64);
//     client.start({a, b});                   // both at once, from one loop
//     auto samples = client.run(200ms);       // one for each, in the order of start
//     client.finish();                        // every reply that is still due has come
//
// It plays for no side: bare epoll, edge-triggered, each connection registered once; a message
// costs one send, one receive and a share of one epoll_wait. start() closes the loop: a connection
// sends its next message when a reply came. start_at_rate() opens it: messages are due at a fixed
// rate, and their time counts from then. Under churn a message is a connection: it is opened for
// it and closed after its reply, and its time counts from before it was opened.
#pragma once

#include <sys/epoll.h>

#include <atomic>
#include <bench/contract/descriptor.hpp>
#include <bench/load/address.hpp>
#include <bench/load/open_loop.hpp>
#include <bench/load/payload.hpp>
#include <bench/record/scenario.hpp>
#include <bench/statistics/histogram.hpp>
#include <chrono>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

// What one server did during one run().
struct load_sample {
  double seconds = 0;
  std::int64_t messages = 0;      // whole replies; every byte of each was compared
  histogram latency_ns;           // from when it was sent; in an open loop, below, from due
  double client_utilisation = 0;  // 0 to 1: share of a core that this thread used

  // Open loop only. The histograms hold what was due in the time that was asked for, also what was
  // answered after it.
  std::int64_t due = 0;  // messages that became due in these seconds
  histogram service_ns;  // from when it was sent
  histogram late_ns;     // what the client itself was late with sending
};

class load_generator {
 public:
  using nanoseconds = std::chrono::nanoseconds;
  using server_number = std::size_t;

  // `stop`: once it is true every call throws `interrupted`. It must outlive the generator.
  load_generator(const scenario& shape, std::uint64_t seed, const std::atomic<bool>& stop);
  ~load_generator();
  load_generator(const load_generator&) = delete;
  load_generator& operator=(const load_generator&) = delete;

  // How long a server may stay silent while a reply is due. 5 s unless told.
  void set_patience(nanoseconds patience) { patience_ = patience; }

  // Asks the server for its prefix over a connection of its own. Returns the server's number.
  server_number add_server(std::string name, const address& where);

  // Opens connections until the server has `total`, each of which has echoed `depth` messages.
  // Only the first of them are loaded, as many as the scenario's `connections`.
  void connect(server_number server, int total);

  // Loads these servers from now on. Their replies are looked at in an order that is drawn anew
  // for every batch of events, so none is always first.
  void start(const std::vector<server_number>& servers);

  // The same in an open loop: each of these servers is due `per_second` messages a second.
  void start_at_rate(const std::vector<server_number>& servers, double per_second);

  // One sample for each server, in the order of start(). Ends late by at most one batch; in an open
  // loop when what was due in this time has been answered, and at most half a second, or as much
  // time again, late.
  std::vector<load_sample> run(nanoseconds duration);

  // Sends nothing more and waits for what is due.
  void finish();

  const std::string& prefix(server_number server) const;

 private:
  struct target;
  struct connection;

  struct outstanding;

  void open_connection(server_number server);
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
  void wait_for_replies();
  bool each_answered() const;
  bool slice_answered() const;
  bool is_in_slice(const target& server, std::int64_t due_ns) const;
  void expect_progress(nanoseconds since) const;

  scenario shape_;
  std::uint64_t seed_;
  const std::atomic<bool>& stop_;
  nanoseconds patience_ = std::chrono::seconds{5};
  descriptor epoll_;
  struct {
    std::int64_t start = 0;
    std::int64_t end = 0;
  } slice_;               // of the run() that is going on, as asked
  bool sending_ = false;  // replies are followed by the next message
  std::vector<target> servers_;
  std::vector<connection> connections_;  // a connection's number is its place
  std::vector<outstanding> asked_;       // one for each message that may be outstanding
  std::vector<server_number> loaded_;
  std::vector<epoll_event> events_;
  std::vector<char> received_;
  std::vector<char> composed_;
  std::minstd_rand random_;
};

}  // namespace bench
