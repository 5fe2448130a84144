// recorder: writes a run to the journal in its folder while the run is measured.
//
//     auto file = begin_journal(folder, header, caveats_found);   // or resume_journal(folder, now)
//     auto end = record_run(plan, bed, file, progress_line, begun);
#pragma once

#include <bench/measure/live_test_bed.hpp>
#include <bench/measure/runner.hpp>
#include <bench/record/journal.hpp>
#include <bench/record/record.hpp>
#include <ctime>
#include <filesystem>
#include <string>
#include <vector>

namespace bench {

// The header of a run, made after introduce() has described its servers.
run_header header_of(const run_plan& plan, const environment& machine, std::time_t started,
                     std::string command_line);

// Begins the journal of a new run with its header and the caveats known so far.
journal begin_journal(const std::filesystem::path& folder, const run_header& header,
                      const std::vector<caveat>& caveats_found);

// Reopens the journal of an earlier run and records that the run was resumed at `now_utc`.
journal resume_journal(const std::filesystem::path& folder, const std::string& now_utc);

// Measures what `begun` does not hold yet. Whatever ends the run, the measured blocks are kept; one
// wrong reply makes the whole run void. Each event is written before `listener` is told.
run_end record_run(const run_plan& plan, live_test_bed& bed, journal& file, run_listener& listener,
                   const run_record& begun, const sufficiency& is_enough = {});

}  // namespace bench
