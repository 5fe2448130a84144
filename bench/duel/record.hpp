// duel record: a duel as a run like any other, so that every report can tell it.
//
//     write_run(record_of(match, header, caveats_found), run_folder(now));
//
// Each load is a row, each complete round a duet block.
#pragma once

#include <bench/duel/duel.hpp>
#include <bench/record/record.hpp>
#include <filesystem>
#include <vector>

namespace bench {

// `header` knows what the duel does not: servers, machine, command line, when it started.
run_record record_of(const duel& match, run_header header, std::vector<caveat> caveats_found);

// run.ndjson and the reports. Throws run_invalid where that run is there already.
void write_run(const run_record& record, const std::filesystem::path& folder);

}  // namespace bench
