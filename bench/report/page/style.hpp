// style: the style sheet of the page: light and dark, print, and narrow screens.
//
// It is the text of bench/report/page/style.css, which CMake embeds.
#pragma once

#include <string_view>

namespace bench {

extern const std::string_view report_style;

}  // namespace bench
