// command words: a command line as text, taken apart as a shell would, and its program found.
//
//     split_words("my_echo --greeting 'good day' --port 7")   // five words
//     join_words({"echo", "good day"})                        // echo 'good day'
//     find_program("floor_echo")                              // beside echobench, else in PATH
#pragma once

#include <string>
#include <vector>

namespace bench {

// '...' is literal; "..." and a bare word know the backslash. Nothing is expanded. Throws
// usage_error where a quote is not closed.
std::vector<std::string> split_words(const std::string& command);

// A line that a shell and split_words() take apart into these words again.
std::string join_words(const std::vector<std::string>& words);

// What was typed: "echobench run --suite quick".
std::string command_line(const std::string& command, std::vector<std::string> given);

// The word itself where it names a folder, or where no such program is found.
std::string find_program(const std::string& word);

}  // namespace bench
