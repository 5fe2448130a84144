// preparation: what `run` and `duel` do before they measure: choose CPUs, start each server once.
//
//     auto machine = prepare_machine("0,1");        // or "none"; "": chooses the CPUs itself
//     live_test_bed bed{servers, machine.server_cpu, seed, stop};
//     introduce(servers, bed, allow_debug, caveats_found);
#pragma once

#include <bench/measure/plan.hpp>
#include <bench/measure/test_bed.hpp>
#include <bench/record/record.hpp>
#include <string>
#include <vector>

namespace bench {

// Pins this thread to the client's CPU, raises the limit of open descriptors (RLIMIT_NOFILE), and
// returns the description of the machine. `pin` is "SERVER_CPU,CLIENT_CPU", "none" or empty. Throws
// usage_error.
environment prepare_machine(const std::string& pin, std::vector<caveat>& caveats_found);

// Checks --connections, --size and --depth. Throws usage_error, which names the one that is out of
// range.
void expect_possible(const scenario& load);

// Starts each server that may be missing here. One that is not available leaves the plan, with
// every pairing that needs it; standard error says so. So does a server of others (package_of())
// that crashes, does not listen or answers with other bytes than it was sent; one of this project
// ends the run by that.
void leave_out_missing(run_plan& plan, test_bed& bed);

// Starts each server once. Records what its listening line announces and the prefix of its replies,
// and prints that prefix for servers that are not bundled. Adds a caveat for each target, since its
// processes are unknown, and for each server whose connections other processes answer, or whose
// reactor is not the one that its name says. A debug build is a caveat too if `allow_debug`;
// otherwise it throws run_invalid.
void introduce(std::vector<server_info>& servers, test_bed& bed, bool allow_debug,
               std::vector<caveat>& caveats_found);

}  // namespace bench
