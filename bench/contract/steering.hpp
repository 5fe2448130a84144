// steering: which of several SO_REUSEPORT listeners on one port gets a new connection.
//
//     steer(listeners, steering::in_turn);   // throws std::system_error if the kernel refuses
//
// Without it the kernel hashes both addresses and ports, which is uneven while connections are few:
// of 64 over 8 listeners the fullest gets about 3 times as many as the emptiest.
//
// by_port: source port / 16 modulo the number of listeners. connect() of Linux moves on by 2 to 16
//   ports each time, at random, so the connections of one client spread more evenly than by hash,
//   but not evenly. A classic BPF program does it, which needs no privilege. It has no state, so it
//   cannot count.
// in_turn: one after the other, whatever the ports. An eBPF program counts. It needs CAP_BPF unless
//   kernel.unprivileged_bpf_disabled is 0.
//
// The kernel numbers the listeners in the order of their listen() calls. When one closes, the last
// takes its number. Where a program returns a number that no listener has, the kernel hashes.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace bench {

enum class steering { by_hash, by_port, in_turn };

inline constexpr std::array<std::pair<std::string_view, steering>, 3> steering_names{
    {{"hash", steering::by_hash}, {"port", steering::by_port}, {"turn", steering::in_turn}}};

std::optional<steering> steering_named(std::string_view name);
std::string_view name_of(steering how);

// `listeners` share one port by SO_REUSEPORT, and all listen. by_hash: does nothing.
void steer(const std::vector<int>& listeners, steering how);

}  // namespace bench
