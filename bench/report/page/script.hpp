// script: the bundle of bench/report/page/charts/, compiled into the program.
//
// Without Node.js or its packages there is no script; then the page has tables only and says why.
#pragma once

#include <span>
#include <string_view>

namespace bench {

struct page_script {
  std::span<const std::string_view> parts;     // to be joined; empty: there is no script
  std::string_view digest;                     // "sha256-..." of the whole, for the page's policy
  std::span<const std::string_view> licences;  // of the bundled packages, to be joined
  std::string_view missing_because = {};       // why there is no script
  // A second script, which the first unpacks and runs: deflated, in base64.
  std::span<const std::string_view> packed = {};
  std::string_view unpacked_digest = {};
};

page_script bundled_script();

}  // namespace bench
