// run_server: the main() of a server that uses no runtime library, only the loops of loop.hpp and
// uring.hpp.
//
//     int main(int argc, char** argv) {
//       return bench::run_floor(argc, argv, {.name = "floor_echo"});
//     }
#pragma once

#include <bench/contract/contract.hpp>
#include <bench/floor/service.hpp>

#include <cstddef>
#include <memory>

namespace bench {

using floor_service_maker = std::unique_ptr<floor_service> (*)(const server_options& options);
using floor_receive_size = std::size_t (*)(const server_options& options);

// Reads the options, listens, serves until the drain has ended, and returns the exit code. Of
// `program`, what the loops offer is set here. Without `make` the server echoes. A receive takes
// --buffer bytes at most, or `receive_size` says how many.
int run_floor(int argc, char** argv, server_program program, floor_service_maker make = nullptr,
              floor_receive_size receive_size = nullptr);

}  // namespace bench
