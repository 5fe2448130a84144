// preparation: what `run` and `duel` do before they measure: processors chosen, servers introduced.
//
//     auto machine = prepare_machine("0,1");        // or "none", or "" to choose
//     live_test_bed bed{servers, machine.server_cpu, seed, stop};
//     introduce(servers, bed, allow_debug, caveats_found);
#pragma once

#include <bench/measure/plan.hpp>
#include <bench/measure/test_bed.hpp>
#include <bench/record/record.hpp>
#include <string>
#include <vector>

namespace bench {

// Pins this thread, raises the limit of descriptors, and describes what was done and where.
// `pin` is "SERVER_CPU,CLIENT_CPU", "none", or empty. Throws usage_error.
environment prepare_machine(const std::string& pin, std::vector<caveat>& caveats_found);

// --connections, --size and --depth, as they were given. Throws usage_error that names the one that
// is out of its range.
void expect_possible(const scenario& load);

// What this machine or build does not have shows when it is started: what needs it leaves the plan,
// and standard error says so. What crashes then, or answers other bytes than it was sent, is there.
void leave_out_missing(run_plan& plan, test_bed& bed);

// Starts each server once and notes what it announces, with which prefix it answers, which it says
// of those from outside, and how much there is of it. A target is no process that we could know. A
// debug build is refused, unless allowed: then it is a caveat, like a server that waits by other
// means than its name says.
void introduce(std::vector<server_info>& servers, test_bed& bed, bool allow_debug,
               std::vector<caveat>& caveats_found);

}  // namespace bench
