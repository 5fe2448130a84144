// refused_option: what Boost.Program_options says of a command line that it refuses.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <boost/program_options/errors.hpp>
#include <string>
#include <vector>

namespace bench {

// Without what(), if an argument has a %: what() replaces words such as %value% until there are
// none, also in what the user wrote, and so it does not return where --%value% was written.
inline std::string words_of(const boost::program_options::error& error,
                            const std::vector<std::string>& given) {
  namespace po = boost::program_options;
  const auto has_percent = [](const std::string& each) {
    return each.find('%') != std::string::npos;
  };
  const auto* about = dynamic_cast<const po::error_with_option_name*>(&error);
  if (about == nullptr || std::none_of(given.begin(), given.end(), has_percent))
    return error.what();
  if (dynamic_cast<const po::unknown_option*>(about) != nullptr)
    return fmt::format("unrecognised option '{}'", about->get_option_name());
  return fmt::format("the argument for option '{}' is missing or invalid",
                     about->get_option_name());
}

}  // namespace bench
