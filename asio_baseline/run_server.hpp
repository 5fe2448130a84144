// run_server: the main() of every server on Boost.Asio, whatever it serves.
//
//     int main(int argc, char** argv) {
//       return asio_baseline::run_server(argc, argv, "asio_shout_", {}, {{"callback",
//       start_shout}});
//     }
//
// Asio chooses its reactor when it is compiled, so there is one program per reactor. Its name is
// the stem and the reactor.
#pragma once

#include <asio_baseline/tcp_server.hpp>
#include <bench/contract/contract.hpp>

#include <string_view>
#include <vector>

namespace asio_baseline {

struct named_style {
  std::string_view name;
  style start;
};

// Reads the options, listens, serves until the drain has ended, and returns the exit code. Of
// `program`, the name and what the loop offers are set here. The first style is the default.
int run_server(int argc, char** argv, std::string_view stem, bench::server_program program,
               const std::vector<named_style>& styles);

}  // namespace asio_baseline
