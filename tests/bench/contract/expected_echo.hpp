// expected_echo: checks the replies to an endless message byte by byte, however they are cut.
//
//     send(socket, endless_message(position, 32));
//     expected_echo replies;
//     replies.accept("GOT:abc");     // true: the message begins with abc
//     replies.letters()              // 3
//
// The message consists of lower-case letters and the prefix is "GOT:", as in echo_client.hpp.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include <tests/bench/contract/echo_client.hpp>

constexpr std::size_t most_at_once = 65'536;

// Part of the endless message: at most `most_at_once` letters.
inline std::string_view endless_message(std::size_t position, std::size_t letters) {
  constexpr std::size_t period = 4093;  // a prime, so that no two replies in a row are alike
  static const std::string text = [] {
    const auto once = body(period);
    std::string many;
    while (many.size() < most_at_once + period) many += once;
    return many;
  }();
  return std::string_view{text}.substr(position % period, letters);
}

class expected_echo {
 public:
  // False: a byte is not the next one of a right reply. Takes at most `most_at_once` bytes.
  bool accept(std::string_view received) {
    while (!received.empty()) {
      const bool in_prefix = seen_of_prefix_ < prefix.size();
      if (!in_prefix && received.front() == prefix.front()) {
        if (!any_letter_) return false;
        seen_of_prefix_ = 0;
      } else if (in_prefix) {
        if (received.front() != prefix[seen_of_prefix_]) return false;
        ++seen_of_prefix_;
        any_letter_ = false;
        received.remove_prefix(1);
      } else {
        const auto size = std::min(received.find(prefix.front()), received.size());
        if (received.substr(0, size) != endless_message(letters_, size)) return false;
        letters_ += size;
        any_letter_ = true;
        received.remove_prefix(size);
      }
    }
    return true;
  }

  std::size_t letters() const { return letters_; }

 private:
  static constexpr std::string_view prefix = "GOT:";

  std::size_t seen_of_prefix_ = 0;
  bool any_letter_ = false;  // after the last prefix
  std::size_t letters_ = 0;
};
