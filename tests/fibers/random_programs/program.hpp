// program: what a few fibers do, as data: written by a seed, printed, read back and made shorter.
//
//     program written = random_program(17);
//     text_of(written)              // "seed 17\nfaults 0 0 0\nfiber sleep 0 5; push 1 0\n"
//     program_of(text_of(written))  // the same again
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace random_programs {

// What `object` and `amount` of an action mean is said beside each verb. `n` units of time are an
// amount. The fibers, the channels and all other objects have numbers.
enum class verb : std::uint8_t {
  sleep,        // n units
  yield,        //
  spawn,        // a fiber, with a handle
  join,         // a fiber that was spawned
  join_for,     // a fiber; wait_for() of its handle, n units
  cancel,       // a fiber
  fail,         // throws
  group,        // a nursery with fiber `object` and up to `amount` of the next ones; joins it
  group_for,    // the same, and joins for `amount` units only
  push,         // into a channel
  push_for,     // into a channel, n units
  try_push,     // into a channel
  pop,          // from a channel
  pop_for,      // from a channel, n units
  try_pop,      // from a channel
  finish,       // close() of a channel
  lock,         // a mutex, and has it for n units
  lock_for,     // a mutex, waits n units, and has it for one
  acquire,      // a semaphore, and has it for n units
  acquire_for,  // a semaphore, waits n units, and has it for one
  add,          // to a wait_group
  done,         // of a wait_group
  wait,         // for a wait_group
  wait_for,     // for a wait_group, n units
  await,        // a condition_variable
  await_for,    // a condition_variable, n units
  notify_one,   // a condition_variable
  notify_all,   // a condition_variable
  generate,     // n values of a generator that sleeps; an odd number is not awaited to the end
  write,        // n * n bytes to an end of a stream; above 15: 30,000
  read,         // up to as many bytes from an end
  limit,        // expires_after() of an end, n units; above 15: expires_never()
  shutdown,     // of an end, for sending
  close,        // an end
  abort,        // cancel() of an end
  accept,       // from the listener, n units, and answers one byte
  connect,      // to the listener, n units, and asks one byte
  post,         //
};

struct action {
  verb what;
  int object;
  int amount;
  friend bool operator==(const action&, const action&) = default;
};

// The number of objects of each kind. Objects 0 and 1 are the ends of one stream, 2 and 3 those of
// the other.
inline constexpr int channels = 3, mutexes = 2, semaphores = 2, groups = 2, conditions = 2,
                     ends = 4;
inline constexpr std::array<std::size_t, channels> capacities{0, 1, 3};
inline constexpr std::array<std::size_t, semaphores> permits{1, 2};

struct program {
  std::uint64_t seed = 0;  // of the simulation in which it runs
  double short_counts = 0, delays = 0, resets = 0;
  std::vector<std::vector<action>> fibers;
  friend bool operator==(const program&, const program&) = default;
};

program random_program(std::uint64_t seed);

std::string text_of(const program& written);
// Throws std::invalid_argument.
program program_of(const std::string& text);

std::string_view name_of(verb what) noexcept;

}  // namespace random_programs
