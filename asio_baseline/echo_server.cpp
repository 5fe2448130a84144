// asio_echo_*: the echo server on Boost.Asio.
#include <asio_baseline/run_server.hpp>

int main(int argc, char** argv) {
  using namespace asio_baseline;
  return run_server(
      argc, argv, "asio_echo_", {.acknowledges = true},
      {{"callback", start_callback}, {"coroutine", start_coroutine}, {"spawn", start_spawn}});
}
