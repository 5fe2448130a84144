// interruption: Ctrl-C ends a run early and keeps what was measured.
//
//     const auto& stop = catch_interruption();   // true after SIGINT or SIGTERM
//
// A second signal is not caught: it ends the program at once.
#pragma once

#include <atomic>

namespace bench {

const std::atomic<bool>& catch_interruption();

}  // namespace bench
