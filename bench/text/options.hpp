// options: parses the command line of one command into variables.
//
//     options wanted{"echobench load", "HOST:PORT", "Loads any echo server."};
//     wanted.add("size", size, "BYTES", "of a message, 16 to 1048576");
//     wanted.example("load 127.0.0.1:25000 --duration 10s");
//     wanted.parse(arguments);   // throws usage_error; --help prints and throws help_shown
//
// The initial values of the variables are the defaults, which --help shows. The same table makes
// the completion of the shells and the manual page: see manual_of().
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

// One option, as --help shows it.
struct option_row {
  std::string name;  // without the dashes
  std::string unit;  // names what the value is, such as DIR; empty: the option has no value
  std::string text;
  std::string fallback;  // empty: no default
  bool repeats = false;
};

// All that --help says of a command. In `purpose` and `explanation` a line feed ends a paragraph,
// and a line that begins with a blank is printed as it is.
struct command_manual {
  std::string command;     // echobench load
  std::string positional;  // HOST:PORT
  std::string purpose;
  std::vector<option_row> rows;
  std::string explanation;
  std::vector<std::string> examples;  // without the name of the program
};

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
  void explain(std::string text) { manual_.explanation = std::move(text); }

  // A command line that --help prints at its end, without the name of the program.
  void example(std::string line) { manual_.examples.push_back(std::move(line)); }

  // Returns the arguments that are not options. Throws usage_error, or help_shown after --help.
  arguments parse(const arguments& given) const;

 private:
  void add_row(const char* name, const char* unit, const char* text, std::string fallback = {},
               bool repeats = false);

  command_manual manual_;
  boost::program_options::options_description all_;
};

// What --help prints, at most 80 columns wide. `program` stands before the examples.
std::string help_text(const command_manual& manual, const std::string& program);

// The manual of a command, which must call options::parse() before it does anything else. Nothing
// of the command is done.
command_manual manual_of(int (*command)(const arguments& given));

// Accepts "20s", "500ms", "2m" or a number of seconds, from 1 ms to a day. Throws usage_error,
// which names the option.
std::chrono::milliseconds parse_duration(std::string_view option, const std::string& text);

// The parts of `text` between separators; an empty text has no parts.
std::vector<std::string> split(const std::string& text, char separator);

// nullopt: the text is not a whole decimal number.
std::optional<int> parse_number(std::string_view text);

}  // namespace bench
