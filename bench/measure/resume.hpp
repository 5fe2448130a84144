// resume: continues a run that was interrupted or killed.
//
//     auto begun = read_resumable(folder);              // its record; throws if it cannot go on
//     auto words = arguments_of(begun.header);          // the command line that began it
//     expect_same_run(begun.header, header_now);        // same plan, same machine, same build
//     run_rounds(plan, bed, listener, begun);           // measures only what is missing
//
// The seed decides the order of the blocks, so a resumed run measures the same blocks in the same
// order as an uninterrupted one.
#pragma once

#include <bench/record/record.hpp>
#include <bench/text/options.hpp>
#include <filesystem>

namespace bench {

// Reads run.ndjson in `folder`. Throws unreadable_run, or run_invalid if a wrong reply made the run
// void.
run_record read_resumable(const std::filesystem::path& folder);

// The words after "run" on the command line that began the run. Throws unreadable_run if it was
// another command.
arguments arguments_of(const run_header& begun);

// Throws run_invalid, which says what differs. Blocks from another machine, build or plan would not
// belong to the same run.
void expect_same_run(const run_header& begun, const run_header& now);

}  // namespace bench
