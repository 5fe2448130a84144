// style: how the page looks: light and dark, on paper, and on a telephone.
//
// It is the text of bench/report/page/style.css.
#pragma once

#include <string_view>

namespace bench {

extern const std::string_view report_style;

}  // namespace bench
