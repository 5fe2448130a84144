// asio_fields_*: reads structures field by field, by co_await.
#include <asio_baseline/run_server.hpp>
#include <bench/contract/structures.hpp>
#include <bench/fields/purpose.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffered_read_stream.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <exception>

namespace {

namespace asio = boost::asio;
using asio_baseline::connection;
using asio_baseline::stream_socket;

template <class Stream, class Value>
auto read(Stream& stream, Value& value) {
  return asio::async_read(stream, asio::buffer(&value, sizeof value), asio::deferred);
}

template <class Stream>
auto read_text(Stream& stream, bench::short_text& text) {
  return asio::async_read(stream, asio::buffer(text.bytes, text.length), asio::deferred);
}

// Errors are exceptions here, of which there is one per connection. An awaitable function for each
// field would cost more.
template <class Stream>
asio::awaitable<void, asio_baseline::executor> answer_all(connection& peer, Stream& stream) {
  bench::digests owed;
  for (bench::structure into;;) {
    co_await read(stream, into.kind);
    co_await read(stream, into.flags);
    co_await read(stream, into.port);
    co_await read(stream, into.id);
    co_await read(stream, into.time);
    co_await read(stream, into.value);
    co_await read(stream, into.name.length);
    co_await read_text(stream, into.name);
    co_await read(stream, into.note.length);
    co_await read_text(stream, into.note);
    peer.has_moved();
    const auto digest = owed.after(into);
    if (!digest) continue;
    peer.count_message();
    co_await asio::async_write(peer.socket, asio::buffer(*digest), asio::deferred);
  }
}

using buffered_stream = asio::buffered_read_stream<stream_socket&>;

// Takes bytes that the buffer holds. False: it holds too few.
bool take(buffered_stream& stream, void* into, std::size_t size) {
  if (stream.in_avail() < size) return false;
  stream.read_some(asio::buffer(into, size));
  return true;
}

// The same, but it awaits only what is not there. An await goes through the queue of the loop even
// then; so this saves most of the time. Each read needs a condition.
asio::awaitable<void, asio_baseline::executor> answer_sparingly(connection& peer,
                                                                buffered_stream& stream) {
  bench::digests owed;
  for (bench::structure into;;) {
    if (!take(stream, &into.kind, sizeof into.kind)) co_await read(stream, into.kind);
    if (!take(stream, &into.flags, sizeof into.flags)) co_await read(stream, into.flags);
    if (!take(stream, &into.port, sizeof into.port)) co_await read(stream, into.port);
    if (!take(stream, &into.id, sizeof into.id)) co_await read(stream, into.id);
    if (!take(stream, &into.time, sizeof into.time)) co_await read(stream, into.time);
    if (!take(stream, &into.value, sizeof into.value)) co_await read(stream, into.value);
    auto &name = into.name, &note = into.note;
    if (!take(stream, &name.length, 1)) co_await read(stream, name.length);
    if (!take(stream, name.bytes.data(), name.length)) co_await read_text(stream, name);
    if (!take(stream, &note.length, 1)) co_await read(stream, note.length);
    if (!take(stream, note.bytes.data(), note.length)) co_await read_text(stream, note);
    peer.has_moved();
    const auto digest = owed.after(into);
    if (!digest) continue;
    peer.count_message();
    co_await asio::async_write(peer.socket, asio::buffer(*digest), asio::deferred);
  }
}

asio::awaitable<void, asio_baseline::executor> serve_fields(connection& peer) {
  try {
    const auto& reads = peer.server.options().reads;
    buffered_stream buffered{peer.socket, bench::fields_buffer};
    if (reads == "plain") co_await answer_all(peer, peer.socket);
    if (reads == "buffered") co_await answer_all(peer, buffered);
    if (reads == "sparing") co_await answer_sparingly(peer, buffered);
  } catch (const boost::system::system_error&) {  // the end of the stream, mostly
  }
}

void start_fields(connection& accepted) {
  asio::co_spawn(accepted.server.get_executor(), serve_fields(accepted),
                 [&accepted](std::exception_ptr) { accepted.server.finished(accepted); });
}

}  // namespace

int main(int argc, char** argv) {
  return asio_baseline::run_server(argc, argv, "asio_fields_",
                                   {.reads = {"plain", "buffered", "sparing"},
                                    .echoes = false,
                                    .purpose = bench::fields_purpose},
                                   {{"coroutine", start_fields}});
}
