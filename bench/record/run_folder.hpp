// run folder: where a run is written, and whether it can be.
#pragma once

#include <ctime>
#include <filesystem>
#include <string>

namespace bench {

// Where nobody said it: runs/20260131T123456Z.
std::filesystem::path run_folder(std::time_t started);

// 2026-01-31T12:34:56Z
std::string utc_text(std::time_t when);

// Asked before anything is started. Nothing is left behind, because the run may still be refused.
// Throws usage_error where a run is there already or nothing can be written.
void expect_room_for_a_run(const std::filesystem::path& folder);

}  // namespace bench
