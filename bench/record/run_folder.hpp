// run_folder: the folder to which a run is written, and from which it is read.
#pragma once

#include <ctime>
#include <filesystem>
#include <string>

namespace bench {

// The default folder, such as runs/20260131T123456Z.
std::filesystem::path run_folder(std::time_t started);

// Such as 2026-01-31T12:34:56Z.
std::string utc_text(std::time_t when);

// The file that holds the run of this folder: run.ndjson, or run.ndjson.gz if only that is there.
std::filesystem::path run_file(const std::filesystem::path& folder);

// The run that a user names. A path that exists is that path, a file or a folder. Of what lies in
// runs/ below the current folder, "last" is the newest run by its name, "last~1" the one before it
// and so on; any other name is the label of a run, the newest that has it. A name that is none of
// these comes back as it is. Throws usage_error if there are fewer runs.
std::filesystem::path find_run(const std::string& name);

// Throws usage_error, which says what a label may be.
void expect_label(const std::string& text);

// Throws usage_error if the folder holds a run already or cannot be written to. Called before
// anything starts. Leaves no file or folder behind, since the run may still be refused.
void expect_room_for_a_run(const std::filesystem::path& folder);

}  // namespace bench
