// description: what a generator tells of itself, its build and its host.
//
//     describe_generator().build;   // "0.1.0 Release GNU 12.2.0 5f0c33a1e2b49d07"
#pragma once

#include <bench/hosts/ranks/orders.hpp>
#include <filesystem>
#include <string>

namespace bench {

// The version, how it was compiled, and a digest of the program file. So two are equal only if the
// programs are.
std::string build_of_this_program();

// The same for another program of this build.
std::string build_of(const std::filesystem::path& program);

generator_description describe_generator();

}  // namespace bench
