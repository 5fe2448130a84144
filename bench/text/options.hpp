// options: parses the command line of one command into variables.
//
//     options wanted{"echobench load", "HOST:PORT", "Loads any echo server."};
//     wanted.add("size", size, "BYTES", "of a message, 16 to 1048576");
//     wanted.parse(arguments);   // throws usage_error; --help prints and throws help_shown
//
// The initial values of the variables are the defaults, which --help shows.
#pragma once

#include <boost/program_options/options_description.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

using arguments = std::vector<std::string>;

struct help_shown {};

class options {
 public:
  options(std::string command, std::string positional, std::string purpose);

  void add(const char* name, bool& flag, const char* text);
  void add(const char* name, int& value, const char* unit, const char* text);
  void add(const char* name, std::string& value, const char* unit, const char* text);
  void add(const char* name, std::optional<std::string>& value, const char* unit, const char* text);
  void add(const char* name, std::optional<int>& value, const char* unit, const char* text);
  void add(const char* name, std::optional<std::uint64_t>& value, const char* unit,
           const char* text);
  void add(const char* name, std::vector<std::string>& values, const char* unit, const char* text);

  // A text that --help prints below the options.
  void explain(std::string text) { explanation_ = std::move(text); }

  // Returns the arguments that are not options. Throws usage_error, or help_shown after --help.
  arguments parse(const arguments& given) const;

 private:
  void show_help() const;

  std::string command_;
  std::string positional_;
  std::string purpose_;
  std::string explanation_;
  boost::program_options::options_description all_;
};

// Accepts "20s", "500ms", "2m" or a number of seconds, from 1 ms to a day. Throws usage_error,
// which names the option.
std::chrono::milliseconds parse_duration(std::string_view option, const std::string& text);

// The parts of `text` between separators; an empty text has no parts.
std::vector<std::string> split(const std::string& text, char separator);

// nullopt: the text is not a whole decimal number.
std::optional<int> parse_number(std::string_view text);

}  // namespace bench
