// orders: what echobench asks the generators of a load for, and what they answer; as JSON.
//
//     to_text(orders::connect{.server = 0, .total = 64});   // {"order":"connect","server":0,...}
//     const any_order order = order_of(text);
//     const answer said = answer_of(text);
//
// Both ends are of one build, so the texts need no version.
#pragma once

#include <bench/load/outcome.hpp>
#include <bench/load/sample.hpp>
#include <bench/record/scenario.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace bench {

namespace orders {
// Who are you? The answer has `about`.
struct introduce {};
// A load begins; what an earlier one had open is closed.
struct begin {
  scenario load;
  std::uint64_t seed = 0;
  double patience_seconds = 0;
};
// Find out how a server replies. The answer has `prefix`.
struct meet {
  std::string name;
  std::string where;  // a numeric address and a port
  std::optional<std::string> tls_host;
};
struct connect {
  std::size_t server = 0;
  int total = 0;  // of all generators together
};
// Load these servers, from quiet to quiet. The answer has `samples`.
struct load {
  std::vector<std::size_t> servers;
  double per_second = 0;  // due from each server, of all generators together; 0: a closed loop
  double seconds = 0;
};
// Close the connections.
struct drop {};
// The same, and end.
struct end {};
}  // namespace orders

using any_order = std::variant<orders::introduce, orders::begin, orders::meet, orders::connect,
                               orders::load, orders::drop, orders::end>;

std::string to_text(const any_order& order);
any_order order_of(const std::string& text);

// What a generator says of itself and its host.
struct generator_description {
  std::string build;  // equal only if the programs are
  std::string kernel;
  std::string cpu_model;
  int cpus = 0;
  int descriptors = 0;       // how many it may have open
  int ports = 0;             // for connections from one address to one server
  int ports_used = 0;        // sockets of TCP that the host has open
  std::string links;         // "eth0 10000 Mb/s, eth1"; empty: only the loopback
  double start_skew_us = 0;  // see synchronise()
};

// What one generator measured of one server in a load, without the counts of its histograms.
struct generator_share {
  double seconds = 0;
  std::int64_t messages = 0;
  std::int64_t messages_in_all = 0;
  std::int64_t unanswered = 0;
  std::int64_t due = 0;
  double client_utilisation = 0;
  double start_skew_us = 0;
  std::int64_t retransmits = 0;
  std::string latency;  // its histograms, as hdr_encoded()
  std::string late;
};

// What one process answers to one order.
struct answer {
  std::optional<load_failure> failure{};
  std::optional<std::string> prefix{};
  std::optional<generator_description> about{};
  std::vector<generator_share> shares{};  // one per server; empty: it had no connection
  bool ended_early = false;               // because of what went wrong at another one
};

std::string to_text(const answer& said);
answer answer_of(const std::string& text);

// What all processes answer together, by rank; and the merged histograms of a load, one set per
// server.
struct merged_times {
  std::string latency;  // as hdr_encoded()
  std::string service;
  std::string late;
};
struct joint_answer {
  std::vector<answer> ranks;
  std::vector<merged_times> times;
  std::vector<int> silent;  // these ranks did not answer; then the rest is empty
};

std::string to_text(const joint_answer& said);
joint_answer joint_answer_of(const std::string& text);

}  // namespace bench
