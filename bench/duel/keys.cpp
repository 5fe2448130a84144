#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bench/duel/keys.hpp>
#include <bench/machine/machine.hpp>
#include <cstdint>

namespace bench {
namespace {

struct key {
  char letter;
  duel_action action;
};

constexpr std::array keys{key{'c', duel_action::fewer_connections},
                          key{'C', duel_action::more_connections},
                          key{'b', duel_action::fewer_bytes},
                          key{'B', duel_action::more_bytes},
                          key{'d', duel_action::less_depth},
                          key{'D', duel_action::more_depth},
                          key{'l', duel_action::pause_left},
                          key{'r', duel_action::pause_right},
                          key{'s', duel_action::save},
                          key{'q', duel_action::quit}};

constexpr std::array help{duel_key_help{"c- C+", "connections", "connections"},
                          duel_key_help{"b- B+", "bytes", "bytes a message"},
                          duel_key_help{"d- D+", "depth", "outstanding messages (depth)"},
                          duel_key_help{"l r", "pause", "pause left or right for 100 ms"},
                          duel_key_help{"s", "save", "save"},
                          duel_key_help{"q", "quit", "quit"}};

struct dial {
  duel_action less;
  duel_action more;
  int scenario::*number;
  int least;
  int most;
};

constexpr std::array dials{
    dial{duel_action::fewer_connections, duel_action::more_connections, &scenario::connections, 1,
         4096},
    dial{duel_action::fewer_bytes, duel_action::more_bytes, &scenario::message_bytes, 16,
         64 * 1024},
    dial{duel_action::less_depth, duel_action::more_depth, &scenario::depth, 1, 64}};

// Limits the bytes in flight: at the start of a round every connection has `depth` messages
// answered, which must not take seconds.
constexpr std::int64_t most_bytes_under_way = 64 << 20;

bool is_bearable(const scenario& load, int descriptors) {
  const std::int64_t under_way = std::int64_t{load.connections} * load.message_bytes * load.depth;
  return under_way <= most_bytes_under_way &&
         2 * load.all_connections() + other_descriptors <= descriptors;
}

}  // namespace

std::optional<duel_action> action_of(int letter) {
  const auto found = std::find_if(keys.begin(), keys.end(),
                                  [=](const key& each) { return each.letter == letter; });
  return found == keys.end() ? std::nullopt : std::optional{found->action};
}

std::span<const duel_key_help> duel_keys_help() {
  return help;
}

std::optional<scenario> changed_load(const scenario& now, duel_action action, int descriptors) {
  auto next = now;
  for (const auto& each : dials) {
    auto& number = next.*each.number;
    if (action == each.more && number < each.most) number = std::min(2 * number, each.most);
    if (action == each.less && number > each.least) number = std::max(number / 2, each.least);
  }
  // A load beyond the limits, given at the start, may shrink.
  const bool grows = is_bearable(now, descriptors);
  if (next == now || (grows && !is_bearable(next, descriptors))) return std::nullopt;
  return next;
}

std::string load_limits() {
  const auto& [connections, bytes, depth] = dials;
  return fmt::format("{} to {} connections, {} to {} bytes, depth {} to {}, {} MiB under way",
                     connections.least, connections.most, bytes.least, bytes.most, depth.least,
                     depth.most, most_bytes_under_way >> 20);
}

}  // namespace bench
