// asio_tls_*: the echo server under TLS on Boost.Asio.
#include <bench/tls/asio_server.hpp>

#include <asio_baseline/run_server.hpp>

int main(int argc, char** argv) {
  using namespace bench::tls;
  server_context();
  return asio_baseline::run_server(argc, argv, "asio_tls_", {.purpose = purpose},
                                   {{"callback", start_callback}, {"coroutine", start_coroutine}});
}
