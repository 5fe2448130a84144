#include <tests/fuzz/expect.hpp>

#include <fmt/format.h>

#include <bench/contract/printable.hpp>
#include <cstdio>

namespace fuzz {
namespace {

// For the words of a message itself, and for names that it lists.
constexpr std::size_t longest_words = 2048;

bool has_controls(std::string_view text) {
  return bench::printable(text) != text;
}

std::string without_numbers(std::string_view text) {
  std::string words;
  for (const char each : text)
    if (std::string_view{"0123456789.,+-e"}.find(each) == std::string_view::npos) words += each;
  return words;
}

}  // namespace

void expect(bool met, std::string_view otherwise) {
  if (met) return;
  fmt::print(stderr, "finding: {}\n", otherwise);
  std::abort();
}

void expect_settled(std::string_view first, std::string_view second, std::string_view third,
                    std::string_view what) {
  expect(third == second && without_numbers(first) == without_numbers(second),
         fmt::format("{} is not read back", what));
}

void expect_showable(std::string_view text, std::string_view what) {
  for (auto rest = text; !rest.empty();) {
    const auto length = bench::first_character(rest);
    if (length == 0 || (rest[0] != '\n' && bench::is_control(rest.substr(0, length))))
      expect(false, fmt::format("{} has a byte that cannot be shown: {}", what,
                                bench::printable(rest.substr(0, 40))));
    rest.remove_prefix(length);
  }
}

void expect_clear(std::string_view message, std::string_view input) {
  expect(!message.empty(), "a message is empty");
  expect(has_controls(input) || !has_controls(message),
         fmt::format("a message has more than one line: {}", bench::printable(message)));
  expect(message.size() <= longest_words + 4 * input.size(),
         "a message is much longer than what it is about");
}

void expect_clear_as_it_is(std::string_view message, std::string_view input) {
  expect_clear(message, input);
  expect(!has_controls(message),
         fmt::format("a message has a control character: {}", bench::printable(message)));
}

bench::arguments arguments_in(std::string_view input) {
  std::string text{input.substr(0, input.find('\0'))};
  return bench::split(text, '\n');
}

}  // namespace fuzz
