// floor_echo: an echo server that uses no runtime library.
#include <bench/floor/run_server.hpp>

int main(int argc, char** argv) {
  return bench::run_floor(argc, argv, {.name = "floor_echo", .acknowledges = true});
}
