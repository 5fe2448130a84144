// search: looks for a program that fails, and makes it as short as it can be.
//
// Programs run in child processes, so a crash, a failed assertion and a program that never ends are
// found and shortened like any other fault.
#pragma once

#include <fibers/reactor.hpp>

#include <cstdint>
#include <optional>
#include <string>

#include <tests/fibers/random_programs/program.hpp>

namespace random_programs {

// What is wrong with it; nothing if all is well.
std::optional<std::string> fault_of(const program& tried, std::optional<fibers::io> backend);

// Tries the programs of `count` seeds. Returns the first seed whose program fails.
std::optional<std::uint64_t> first_failing(std::uint64_t first, std::uint64_t count,
                                           std::optional<fibers::io> backend);

// Leaves out fibers and actions, and lowers amounts, for as long as the program fails.
program shortened(program failing, std::optional<fibers::io> backend);

}  // namespace random_programs
