// request: what `echobench load` was asked for.
//
//     load_wishes asked;
//     const auto rest = options_of(asked).parse(arguments);
//     const load_plan plan = plan_of(asked);       // throws usage_error
//     const load_target where = parse_target(rest);
#pragma once

#include <bench/hosts/request.hpp>
#include <bench/load/address.hpp>
#include <bench/load/expectation.hpp>
#include <bench/record/scenario.hpp>
#include <bench/text/options.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace bench {

// What the command line says.
struct load_wishes {
  std::optional<std::string> load;
  std::optional<int> connections;
  std::optional<int> size;
  std::optional<int> depth;
  std::optional<std::string> rate;
  bool churn = false;
  bool tls = false;
  std::optional<int> threads;
  std::optional<std::string> duration;
  std::optional<std::string> json;
  std::vector<std::string> expect;
  std::optional<std::string> find_rate;
  host_options hosts;
};

// What it means.
struct load_plan {
  scenario load;
  int threads = 1;
  std::chrono::milliseconds length{};
  std::vector<expectation> expectations{};
  std::optional<expectation> limit{};    // a search for the highest rate at which it holds
  std::optional<hosts_request> hosts{};  // absent: the load comes from threads of this process
  std::vector<address> sources{};        // of these threads
};

// Where the server is, as it was given. To resolve a name may fail like a connection.
struct load_target {
  std::string text;
  std::optional<host_and_port> name;  // nullopt: `path`
  address path = {};
  bool tls = false;

  address resolve() const {
    auto found = name ? address::resolve(name->host, name->port) : path;
    if (tls) found.tls_host = name ? name->host : "";
    return found;
  }
};

options options_of(load_wishes& asked);
load_plan plan_of(const load_wishes& asked);

// Accepts "host:port", "[::1]:port", host and port as two arguments, or "unix:path".
load_target parse_target(const arguments& rest);

}  // namespace bench
