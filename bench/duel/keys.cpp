#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bench/duel/keys.hpp>
#include <bench/machine/machine.hpp>
#include <bench/text/failure.hpp>
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
                          key{U'm', duel_action::lower_rate},
                          key{U'M', duel_action::higher_rate},
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
    duel_key_help{"m- M+", "rate", "", "half or twice as many messages due per second (--rate)",
                  true},
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
    dial{duel_action::less_depth, duel_action::more_depth, &scenario::depth, 1, 64},
    dial{duel_action::lower_rate, duel_action::higher_rate, &scenario::rate_per_second, 1,
         max_rate}};  // a closed loop has none, and none comes of it

// Limits the bytes in flight to all servers: at the start of a round every connection has `depth`
// messages answered, which must not take seconds.
constexpr std::int64_t most_bytes_under_way = 64 << 20;

std::int64_t bytes_under_way(const scenario& load, const duel_limits& limits) {
  return std::int64_t{limits.servers} * load.connections * load.message_bytes * load.depth;
}

// How many connections there may be to each server.
int most_for_each(const duel_limits& limits) {
  return std::max(0, limits.descriptors - other_descriptors) / limits.servers;
}

bool is_bearable(const scenario& load, const duel_limits& limits) {
  return bytes_under_way(load, limits) <= most_bytes_under_way &&
         load.all_connections() <= most_for_each(limits);
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

void expect_descriptors(const scenario& load, const duel_limits& limits) {
  const auto most = most_for_each(limits);
  if (load.all_connections() <= most) return;
  throw usage_error(fmt::format(
      "--connections {}: for {} servers, {} open files (ulimit -n) are enough for {} each",
      load.all_connections(), limits.servers, limits.descriptors, most));
}

std::optional<scenario> changed_load(const scenario& now, duel_action action,
                                     const duel_limits& limits) {
  auto next = now;
  for (const auto& each : dials) {
    auto& number = next.*each.number;
    if (number == 0) continue;
    if (action == each.more && number < each.most) number = std::min(2 * number, each.most);
    if (action == each.less && number > each.least) number = std::max(number / 2, each.least);
  }
  if (next == now) return std::nullopt;
  // A load beyond the limits, given at the start, may shrink.
  const bool grows = bytes_under_way(next, limits) > bytes_under_way(now, limits);
  if (grows && !is_bearable(next, limits)) return std::nullopt;
  return next;
}

std::string load_limits(const duel_limits& limits) {
  const auto& [connections, bytes, depth, rate] = dials;
  return fmt::format("{} to {} connections, {} to {} bytes, depth {} to {}, {} MiB under way",
                     connections.least, std::min(connections.most, most_for_each(limits)),
                     bytes.least, bytes.most, depth.least, depth.most, most_bytes_under_way >> 20);
}

}  // namespace bench
