// libuv_echo: an echo server on libuv, as its guide writes one: a callback per read and per write.
//
//     libuv_echo 25000
#include <uv.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <string_view>

namespace {

constexpr std::string_view prefix = "GOT:";
constexpr std::size_t room = 1000;
constexpr int backlog = 4096;

// One reply is under way at a time, so a connection needs one buffer.
struct connection {
  uv_tcp_t socket{};
  uv_write_t writing{};
  char buffer[prefix.size() + room];
};

connection* of(uv_handle_t* handle) {
  return static_cast<connection*>(handle->data);
}

void close(connection* peer) {
  auto* handle = reinterpret_cast<uv_handle_t*>(&peer->socket);
  if (uv_is_closing(handle) == 0) uv_close(handle, [](uv_handle_t* closed) { delete of(closed); });
}

void offer_room(uv_handle_t* handle, std::size_t, uv_buf_t* into) {
  *into = uv_buf_init(of(handle)->buffer + prefix.size(), room);
}

void answer(uv_stream_t* stream, ssize_t size, const uv_buf_t*);

void read_on(uv_write_t* written, int error) {
  auto* peer = static_cast<connection*>(written->data);
  auto* stream = reinterpret_cast<uv_stream_t*>(&peer->socket);
  if (error != 0 || uv_read_start(stream, offer_room, answer) != 0) close(peer);
}

// uv_try_write() writes at once. Only what the socket does not take is left to uv_write().
void answer(uv_stream_t* stream, ssize_t size, const uv_buf_t*) {
  auto* peer = of(reinterpret_cast<uv_handle_t*>(stream));
  if (size == 0) return;
  if (size < 0) return close(peer);
  auto reply =
      uv_buf_init(peer->buffer, static_cast<unsigned>(prefix.size()) + static_cast<unsigned>(size));
  const int sent = uv_try_write(stream, &reply, 1);
  if (sent == static_cast<int>(reply.len)) return;
  if (sent < 0 && sent != UV_EAGAIN) return close(peer);
  const auto gone = std::max(sent, 0);
  reply.base += gone;
  reply.len -= static_cast<std::size_t>(gone);
  uv_read_stop(stream);
  if (uv_write(&peer->writing, stream, &reply, 1, read_on) != 0) close(peer);
}

void accept(uv_stream_t* listener, int error) {
  if (error != 0) return;
  auto* peer = new connection;
  std::memcpy(peer->buffer, prefix.data(), prefix.size());
  uv_tcp_init(listener->loop, &peer->socket);
  peer->socket.data = peer->writing.data = peer;
  auto* stream = reinterpret_cast<uv_stream_t*>(&peer->socket);
  uv_tcp_nodelay(&peer->socket, 1);
  if (uv_accept(listener, stream) != 0 || uv_read_start(stream, offer_room, answer) != 0)
    close(peer);
}

int serve(int port) {
  auto* loop = uv_default_loop();
  uv_tcp_t listener;
  sockaddr_in where{};
  uv_ip4_addr("127.0.0.1", port, &where);
  uv_tcp_init(loop, &listener);
  uv_tcp_bind(&listener, reinterpret_cast<const sockaddr*>(&where), 0);
  if (const int error = uv_listen(reinterpret_cast<uv_stream_t*>(&listener), backlog, accept)) {
    std::fprintf(stderr, "libuv_echo: cannot listen on 127.0.0.1:%d: %s\n", port,
                 uv_strerror(error));
    return 1;
  }
  uv_run(loop, UV_RUN_DEFAULT);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  int port = 0;
  const std::string_view text = argc == 2 ? argv[1] : "";
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size() || port < 1 || port > 65535) {
    std::fputs("usage: libuv_echo PORT (1 to 65535)\n", stderr);
    return 2;
  }
  return serve(port);
}
