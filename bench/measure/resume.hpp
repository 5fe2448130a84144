// resume: a run that was interrupted or killed, taken up where it stopped.
//
//     auto begun = read_resumable(folder);              // its record; refuses what cannot go on
//     auto words = arguments_of(begun.header);          // the command line that began it
//     expect_same_run(begun.header, header_now);        // same plan, same machine, same build
//     run_rounds(plan, bed, listener, begun);           // measures only what is missing
//
// The order of blocks comes from the seed, so the rest of a run is the rest it would have had.
#pragma once

#include <bench/record/record.hpp>
#include <bench/text/options.hpp>
#include <filesystem>

namespace bench {

// Reads the run.ndjson of a run folder. Throws unreadable_run, or run_invalid where a wrong reply
// has voided the run.
run_record read_resumable(const std::filesystem::path& folder);

// What followed "run" when the run was begun. Throws unreadable_run where it was no `run`.
arguments arguments_of(const run_header& begun);

// Throws run_invalid that says what differs: then the halves would not be of one run.
void expect_same_run(const run_header& begun, const run_header& now);

}  // namespace bench
