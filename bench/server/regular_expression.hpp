// regular_expression: an extended regular expression of POSIX, as in grep -E.
//
//     const regular_expression date{"([0-9]+)-([0-9]+)"};
//     date.is_in("from 2026-11 on");                    // true
//     date.parts_of("2026-11");                         // {"2026", "11"}
//
// Either call may take time that grows with the square of the text's length. Not std::regex: a
// match of that takes stack for every character of the text, and each file that includes it takes
// two seconds to compile.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <regex.h>

namespace bench {

class regular_expression {
 public:
  // Throws std::invalid_argument with the reason.
  explicit regular_expression(const std::string& pattern);

  // True if it matches a part of the text.
  bool is_in(const std::string& text) const;

  // What its groups matched, empty for a group that took no part; nullopt unless it matches the
  // whole text.
  std::optional<std::vector<std::string>> parts_of(const std::string& text) const;

 private:
  bool finds(const std::string& text, std::size_t groups, regmatch_t* found) const;

  std::shared_ptr<const regex_t> compiled_;
};

}  // namespace bench
