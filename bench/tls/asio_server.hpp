// asio_server: the echo server under TLS on Boost.Asio, in two styles.
//
// Both do what Asio's users do: an asio::ssl::stream on the socket, async_handshake,
// async_read_some and async_write. What makes them fast stands in asio_baseline/tcp_server.hpp,
// except that no send is tried at once: the stream sends by async_write(). A reply passes through
// the queue then, so turns change little: with them and without, the CPU per message was the same
// within 3 % on each reactor (64 connections of 512 bytes, on a busy machine).
#pragma once

#include <asio_baseline/tcp_server.hpp>
#include <bench/tls/server_context.hpp>

#include <boost/asio/ssl/stream.hpp>

namespace bench::tls {

namespace asio = boost::asio;
using asio_baseline::connection;
using asio_baseline::error_code;
using secure_stream = asio::ssl::stream<asio_baseline::stream_socket&>;

void start_callback(connection& accepted);
void start_coroutine(connection& accepted);

}  // namespace bench::tls
