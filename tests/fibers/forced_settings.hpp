// forced_settings: lets every ring of this program take the ways that it would take rarely, or none
// of them.
#pragma once

#include <string_view>

// True if `name` is io_uring_gathering, io_uring_loud or io_uring_straight. Then all rings that
// make_reactor() makes from now on are such.
bool force_settings(std::string_view name);

// Whether they are io_uring_straight.
bool all_goes_straight();
