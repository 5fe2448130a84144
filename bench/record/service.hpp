// service: what a load asks of a server.
#pragma once

#include <array>
#include <string_view>

namespace bench {

enum class service {
  echo,       // the bytes that were sent
  plaintext,  // GET /plaintext: "Hello, World!"
  json,       // GET /json/NAME: {"message":"Hello, NAME!"}
  fields,     // a digest of 64 structures (bench/contract/structures.hpp)
};

// As a load names them; of an echo the size stands there.
inline constexpr std::array<std::string_view, 4> service_names{"echo", "plaintext", "json",
                                                               "fields"};

constexpr std::string_view name_of(service each) {
  return service_names[static_cast<std::size_t>(each)];
}

constexpr bool is_http(service each) {
  return each == service::plaintext || each == service::json;
}

// The bytes of a request; of an echo it is the load that says how many.
constexpr int request_bytes(service each) {
  switch (each) {
    case service::plaintext:
      return 57;
    case service::json:
      return 69;
    case service::fields:
      return 4096;
    case service::echo:
      break;
  }
  return 0;
}

}  // namespace bench
