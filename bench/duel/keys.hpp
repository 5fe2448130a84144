// keys: what each key does to a duel, as data.
//
//     if (auto action = action_of('C'))
//       if (auto next = changed_load(scenario, *action, limits)) match.change_load(*next);
#pragma once

#include <bench/record/scenario.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace bench {

enum class duel_action {
  fewer_connections,
  more_connections,
  fewer_bytes,
  more_bytes,
  less_depth,
  more_depth,
  lower_rate,
  higher_rate,
  pause_left,
  pause_right,
  save,
  freeze,
  help,
  quit,
};

// The action of a key: a letter, or one of the characters ← ↑ → ↓ for an arrow key. nullopt: none.
std::optional<duel_action> action_of(int pressed);

// The keys and their explanations.
struct duel_key_help {
  std::string_view keys;
  std::string_view words;        // for the last line of the screen
  std::string_view other_keys;   // do the same
  std::string_view explanation;  // for the help screen
  bool is_spare = false;         // left out of the last line where there is little room
};
std::span<const duel_key_help> duel_keys_help();

// All servers of a duel are loaded at once, by one process.
struct duel_limits {
  int servers = 2;  // with the bare loop
  int descriptors;  // that this process may have open at once
};

// Throws usage_error if the first load needs more descriptors than there are.
void expect_descriptors(const scenario& load, const duel_limits& limits);

// The load after an action: twice or half as much, within the limits. nullopt: the load is at a
// limit, or the action does not change the load.
std::optional<scenario> changed_load(const scenario& now, duel_action action,
                                     const duel_limits& limits);

// "1 to 4096 connections, 16 to 65536 bytes, ...": shown when changed_load() returns nullopt.
std::string load_limits(const duel_limits& limits);

}  // namespace bench
