#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bench/duel/keys.hpp>
#include <bench/machine/machine.hpp>
#include <cstdint>

namespace bench {
namespace {

struct key {
  char32_t character;
  duel_action action;
};

constexpr std::array keys{key{U'c', duel_action::fewer_connections},
                          key{U'C', duel_action::more_connections},
                          key{U'←', duel_action::fewer_connections},
                          key{U'→', duel_action::more_connections},
                          key{U'b', duel_action::fewer_bytes},
                          key{U'B', duel_action::more_bytes},
                          key{U'↓', duel_action::fewer_bytes},
                          key{U'↑', duel_action::more_bytes},
                          key{U'd', duel_action::less_depth},
                          key{U'D', duel_action::more_depth},
                          key{U'l', duel_action::pause_left},
                          key{U'r', duel_action::pause_right},
                          key{U's', duel_action::save},
                          key{U' ', duel_action::freeze},
                          key{U'?', duel_action::help},
                          key{U'q', duel_action::quit}};

constexpr std::array help{
    duel_key_help{"c- C+", "connections", "left, right", "half or twice as many connections"},
    duel_key_help{"b- B+", "bytes", "down, up", "half or twice as many bytes per message"},
    duel_key_help{"d- D+", "depth", "", "half or twice as many messages outstanding"},
    duel_key_help{"l r", "pause", "", "pause left or right for 100 ms; that round does not count"},
    duel_key_help{"s", "save", "", "save what was measured as a run, with its reports"},
    duel_key_help{"space", "freeze", "", "freeze the screen; measuring goes on", true},
    duel_key_help{"?", "help", "", "show this page; any key leaves it"},
    duel_key_help{"q", "quit", "", "quit"}};

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

std::optional<duel_action> action_of(int pressed) {
  const auto found = std::find_if(keys.begin(), keys.end(), [=](const key& each) {
    return static_cast<int>(each.character) == pressed;
  });
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
