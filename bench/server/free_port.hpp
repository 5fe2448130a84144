// free_port: a port for a server that cannot choose one itself.
//
//     const auto port = free_port(ephemeral_ports());
#pragma once

#include <cstdint>

namespace bench {

// The ports that the kernel gives to the connections of all programs, which name none: from `first`
// to `last`.
struct port_range {
  std::uint16_t first = 0;
  std::uint16_t last = 0;
};

// From /proc/sys/net/ipv4/ip_local_port_range; if that cannot be read, what kernels have by
// default.
port_range ephemeral_ports();

// A port on which no socket listens now, on neither loopback. It is a random one from 20000 to
// below `ephemeral`, so that no connection of another program can take it before the server does;
// another server still can. Where fewer than 1,000 lie there, it is one of the ephemeral ports.
// Throws run_invalid if there is no free port.
std::uint16_t free_port(port_range ephemeral);

}  // namespace bench
