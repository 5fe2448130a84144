// command_words: splits a command line into words as a shell does, and finds its program.
//
//     split_words("my_echo --greeting 'good day' --port 7")   // five words
//     join_words({"echo", "good day"})                        // echo 'good day'
//     find_program("floor_echo")                              // beside echobench, or in PATH
#pragma once

#include <string>
#include <vector>

namespace bench {

// In '...' every character is literal; in "..." and outside quotes a backslash escapes the next
// character. Nothing is expanded. Throws usage_error if a quote is not closed.
std::vector<std::string> split_words(const std::string& command);

// A line that a shell, or split_words(), splits into these words again.
std::string join_words(const std::vector<std::string>& words);

// The command line as the user would type it: "echobench run --suite quick".
std::string command_line(const std::string& command, std::vector<std::string> given);

// The name by which the user started this program, quoted for a shell: what bench/run says in
// ECHOBENCH_NAME, or the first word of the command line. A long one becomes "echobench".
std::string invoked_as();

// The path of the program `word` in PATH; empty: there is none.
std::string find_in_path(const std::string& word);

// The path of the program `word`: beside echobench, or else in PATH. Returns `word` itself if it
// contains a slash or if no such program is found.
std::string find_program(const std::string& word);

}  // namespace bench
