// asio_styles: the styles of the HTTP server by Boost.Beast on Asio.
#pragma once

#include <asio_baseline/tcp_server.hpp>

namespace bench {

void start_http_callback(asio_baseline::connection& accepted);
void start_http_coroutine(asio_baseline::connection& accepted);

}  // namespace bench
