// offers: what a shell may offer in the place of a word, told by the unit that --help prints.
//
//     offers_for("SUITE").words        // quick, default, ...
//     offers_for("LOAD[,LOAD...]")     // the loads of the suites, with commas between them
//     offers_for("DIR").kind           // folders
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace bench {

enum class offer_kind {
  nothing,  // nobody but the user knows, as for a number
  words,
  list,  // of these words, with commas
  files,
  folders,
  runs,  // these words, files and folders
};

struct offers {
  offer_kind kind = offer_kind::nothing;
  std::vector<std::string> words;
};

// `unit` is the unit of an option or the positional arguments of a command.
offers offers_for(std::string_view unit);

}  // namespace bench
