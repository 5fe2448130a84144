// report_style: how the HTML page looks: light and dark, on paper, and on a telephone.
//
// It is the text of bench/report/page/page.css.
#pragma once

#include <string_view>

namespace bench {

extern const std::string_view report_style;

}  // namespace bench
