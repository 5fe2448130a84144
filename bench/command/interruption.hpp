// interruption: turns Ctrl-C into a flag, so that a run ends early and keeps what it measured.
//
//     const auto& stop = catch_interruption();   // true after SIGINT or SIGTERM
//
// Only the first signal is caught (SA_RESETHAND): a second one ends the program at once.
#pragma once

#include <atomic>

namespace bench {

const std::atomic<bool>& catch_interruption();

}  // namespace bench
