// record: turns a duel into the record of a run, from which every report can be written.
//
//     write_run(record_of(match, header, caveats_found), run_folder(now));
//
// Each load is a row, and each complete round is a duet block.
#pragma once

#include <bench/duel/duel.hpp>
#include <bench/record/record.hpp>
#include <filesystem>
#include <vector>

namespace bench {

// `header` holds what the duel does not know: servers, machine, command line, start time.
run_record record_of(const duel& match, run_header header, std::vector<caveat> caveats_found);

// Writes run.ndjson and the reports into `folder`. Throws run_invalid if there is a run already.
void write_run(const run_record& record, const std::filesystem::path& folder);

}  // namespace bench
