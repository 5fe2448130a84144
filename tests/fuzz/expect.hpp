// expect: what every fuzz target demands, and how it reports that it was not met.
//
//     expect(again == first, "the name of a scenario is not read back");
//     expect_clear(error.what(), text);
//
// A demand that is not met ends the process by SIGABRT, so that libFuzzer keeps the input.
#pragma once

#include <bench/text/failure.hpp>
#include <bench/text/options.hpp>

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

namespace fuzz {

void expect(bool met, std::string_view otherwise);

// A file as it is written, as it is written after it was read, and so after it was read twice.
// Numbers are written with twelve digits, so the first may differ from the second in numbers.
void expect_settled(std::string_view first, std::string_view second, std::string_view third,
                    std::string_view what);

// A text for people: valid UTF-8 without control characters, except line feeds.
void expect_showable(std::string_view text, std::string_view what);

// The message of an error about `input`, as echobench prints it: one line, not empty, not much
// longer than the input. A control character in it must come from the input.
void expect_clear(std::string_view message, std::string_view input);

// The same for a message that is printed as it is.
void expect_clear_as_it_is(std::string_view message, std::string_view input);

// The lines of the input as arguments of a command. Arguments hold no byte 0.
bench::arguments arguments_in(std::string_view input);

// Calls `read`. Returns true if it accepts the input. An error of type Refusal must be clear; any
// other error ends the process.
template <class Refusal, class Read>
bool accepts(std::string_view input, Read read) try {
  read();
  return true;
} catch (const Refusal& error) {
  expect_clear(error.what(), input);
  return false;
}

}  // namespace fuzz
