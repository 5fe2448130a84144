// place: on which host the servers of a run start, and where clients reach them.
//
//     const auto wanted = parse_place("server=10.0.0.2");    // what --on says
//     const auto place = place_of_servers(wanted, from, plan.servers);
//     if (place) listen_everywhere(plan.servers, place->address);
#pragma once

#include <bench/hosts/request.hpp>
#include <bench/record/record.hpp>
#include <optional>
#include <string>
#include <vector>

namespace bench {

struct servers_place {
  std::string host;     // localhost: they run here
  std::string address;  // numeric; as --on gave it: also a name, or empty
};

// "HOST" or "HOST=ADDRESS". Throws usage_error. nullopt: `text` is empty.
std::optional<servers_place> parse_place(const std::string& text);

// Where clients reach the servers, with a numeric address. `wanted`: what --on says. `from`: from
// where the load comes; absent: from this process. Without an address in `wanted` the servers of
// another host are reached where its name leads, and those of this host at its address on the way
// to the first target, or else to the first host of `from` whose name has an address. nullopt: this
// host reaches its own servers as they announce themselves, or the run starts none. Throws
// usage_error: there is no address, or a server listens on a path.
std::optional<servers_place> place_of_servers(const std::optional<servers_place>& wanted,
                                              const std::optional<hosts_request>& from,
                                              const std::vector<server_info>& servers);

// Makes the bundled servers listen on all addresses of their host, so that clients reach them at
// `address`, which is numeric: on all IPv4 addresses, and on those of IPv6 as well if it is one.
void listen_everywhere(std::vector<server_info>& servers, const std::string& address = {});

// False: it is bundled and listens on a loopback address, whatever it is told.
bool can_listen_everywhere(const server_info& server);

}  // namespace bench
