// acknowledgements: what a server answers that does not echo (--ack): a newline whenever as many
// bytes as that have come.
//
//     acknowledgements owed;
//     const std::string_view reply = owed.for_received(65536, options);   // "" or "\n", ...
#pragma once

#include <bench/contract/contract.hpp>

#include <array>
#include <cstddef>
#include <string_view>

namespace bench {

// Of one connection.
class acknowledgements {
 public:
  // The answer to `size` more bytes, at most options.buffer. It may be empty. Precondition:
  // options.ack is not 0.
  std::string_view for_received(std::size_t size, const server_options& options) {
    const auto bytes = received_ + size;
    received_ = bytes % options.ack;
    return {newlines.data(), bytes / options.ack};
  }

 private:
  static constexpr auto newlines = [] {
    std::array<char, most_buffer / least_ack + 1> all{};
    all.fill('\n');
    return all;
  }();

  std::size_t received_ = 0;  // and not acknowledged
};

}  // namespace bench
