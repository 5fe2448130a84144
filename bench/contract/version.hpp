// version: which build of the project this is, in a line for people and in parts for a record.
//
//     fmt::print("{}\n", version_line("fibers_echo"));
//     // fibers_echo 0.1.0, commit 4b61007, Release, GNU 12.2.0, Boost 1.81.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace bench {

// The answer to --version, without the newline. An unknown commit is left out.
std::string version_line(std::string_view program);

// Such as 1.81.0.
std::string boost_version();

// What ECHOBENCH_COMMIT says: the commit of the checkout that was built, such as 4b61007-dirty.
// bench/run sets it. nullopt: unknown.
std::optional<std::string> built_commit();

}  // namespace bench
