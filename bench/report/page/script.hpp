// script: the charts of the page, as bench/report/page/charts/ was bundled when this was built.
//
// Built without Node.js or its packages there is no script: the page keeps its tables, and says
// why.
#pragma once

#include <span>
#include <string_view>

namespace bench {

struct page_script {
  std::span<const std::string_view> parts;     // to be joined; empty: there is none
  std::string_view digest;                     // "sha256-..." of the whole, for the page's policy
  std::span<const std::string_view> licences;  // of the packages within, to be joined
  std::string_view missing_because = {};       // where there is none
};

page_script bundled_script();

}  // namespace bench
