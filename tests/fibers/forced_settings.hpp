// forced_settings: lets every ring of this program take the ways that it would take rarely, or none
// of them.
#pragma once

#include <string_view>

// True if `name` is io_uring_gathering or io_uring_loud. Then all rings that make_reactor() makes
// from now on are such.
bool force_settings(std::string_view name);
