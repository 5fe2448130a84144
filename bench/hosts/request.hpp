// request: which hosts load the servers, as the command line says.
//
//     const auto wanted = parse_hosts({.from = "a:2,b", .sources = {"a=10.0.0.5,10.0.0.6"}});
//     wanted.hosts[0].generators;   // 2
#pragma once

#include <bench/text/options.hpp>
#include <optional>
#include <string>
#include <vector>

namespace bench {

struct host_request {
  std::string name;
  int generators = 1;                // processes, each with one thread
  std::vector<std::string> sources;  // addresses where its connections begin; empty: the kernel's
};

// The values of the options, unread.
struct host_options {
  std::string from{};                  // HOST[:N][,...]; empty: the load comes from this process
  std::string without{};               // HOST[,...] that are left out of `from`
  std::vector<std::string> sources{};  // [HOST=]ADDRESS[,...]
  std::string launcher = "ssh";
  std::string network{};  // over which the generators agree, 10.0.0.0/8 or eth0; empty: any
};

struct hosts_request {
  std::vector<host_request> hosts;
  std::vector<std::string> left_out;
  std::string launcher;
  std::string network;

  int generators() const;
};

// Adds --from, --without, --source, --launcher and --network.
void add_host_options(options& wanted, host_options& given);

// Throws usage_error, which names the option and what it accepts. Precondition: from is not empty.
hosts_request parse_hosts(const host_options& given);

// True for what --from and --on take as a host: a name or an IPv4 address, as user@host too.
bool is_host_name(const std::string& text);

// Open MPI 4.1 fails if processes of one host do not follow each other, and rank 0 is on this one.
hosts_request this_host_first(hosts_request wanted);

// The addresses of --source without --from, where the load comes from this process.
std::vector<std::string> own_sources(const host_options& given);

}  // namespace bench
