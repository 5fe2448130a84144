// open_page: shows a report in the browser of the desktop.
//
//     if (wanted.open) tell(stderr, "{}\n", open_page("runs/last/report.html"));
#pragma once

#include <filesystem>
#include <string>

namespace bench {

// Starts xdg-open, which is found in PATH, and does not wait for it. Returns a line for the user,
// which says where the page is, and why it was not opened if there is no display, no xdg-open or no
// way to start it.
std::string open_page(const std::filesystem::path& page);

}  // namespace bench
