// request_form: what the HTTP servers here serve, whatever they are made of.
//
//     GET /plaintext      Hello, World!
//     GET /json/Ada       {"message":"Hello, Ada!"}       a name has letters and digits, 64 at most
//     GET of another path 404
//
// The bare loop knows these and nothing else: it skips all headers, also Connection, and ends a
// connection that sends another method or version.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace bench {

inline constexpr std::string_view http_purpose =
    "An HTTP server: GET /plaintext, and GET /json/NAME. Connections stay open.";

// A receive takes so many bytes at most, and the first line and headers of a request have no more.
inline constexpr std::size_t http_receive_bytes = 4096;
inline constexpr std::size_t longest_http_head = 8192;

// The name in "/json/NAME"; empty: the path is another one.
inline std::string_view name_in(std::string_view path) {
  constexpr std::string_view before_name = "/json/";
  constexpr std::size_t longest_name = 64;
  if (!path.starts_with(before_name)) return {};
  path.remove_prefix(before_name.size());
  const auto is_letter_or_digit = [](char each) {
    return ('a' <= each && each <= 'z') || ('A' <= each && each <= 'Z') ||
           ('0' <= each && each <= '9');
  };
  const bool good =
      path.size() <= longest_name && std::all_of(path.begin(), path.end(), is_letter_or_digit);
  return good ? path : std::string_view{};
}

}  // namespace bench
