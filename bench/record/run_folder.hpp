// run folder: where a run is written where nobody said it, and how its time is.
#pragma once

#include <ctime>
#include <filesystem>
#include <string>

namespace bench {

std::filesystem::path run_folder(std::time_t started);  // runs/20260131T123456Z
std::string utc_text(std::time_t when);                 // 2026-01-31T12:34:56Z

}  // namespace bench
