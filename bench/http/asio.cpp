// asio_http_*: the HTTP server by Boost.Beast on Asio.
#include <asio_baseline/run_server.hpp>
#include <bench/http/asio_styles.hpp>
#include <bench/http/routes.hpp>

int main(int argc, char** argv) {
  return asio_baseline::run_server(
      argc, argv, "asio_http_", {.echoes = false, .purpose = bench::http_purpose},
      {{"callback", bench::start_http_callback}, {"coroutine", bench::start_http_coroutine}});
}
