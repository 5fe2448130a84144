// recorder: writes a run down as it is measured, into the journal of its folder.
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

// The header of a run that has been prepared: its servers have been introduced.
run_header header_of(const run_plan& plan, const environment& machine, std::time_t started,
                     std::string command_line);

// The journal of a run that begins, with its header and what is known against it.
journal begin_journal(const std::filesystem::path& folder, const run_header& header,
                      const std::vector<caveat>& caveats_found);

// That of a run that goes on now.
journal resume_journal(const std::filesystem::path& folder, const std::string& now_utc);

// Measures what `begun` does not hold yet. What was measured stays, whatever ends the run; one
// wrong reply voids it. `listener` is told everything after it was written.
run_end record_run(const run_plan& plan, live_test_bed& bed, journal& file, run_listener& listener,
                   const run_record& begun);

}  // namespace bench
