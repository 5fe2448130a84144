// fibers_fields: reads structures field by field, as blocking code would.
#include <bench/contract/structures.hpp>
#include <bench/fields/purpose.hpp>
#include <fibers/programs/tcp_server.hpp>

#include <boost/asio/buffered_read_stream.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>

namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;

template <class Stream, class Value>
void read(Stream& stream, Value& value) {
  asio::read(stream, asio::buffer(&value, sizeof value));
}

template <class Stream>
void read(Stream& stream, bench::short_text& text) {
  read(stream, text.length);
  asio::read(stream, asio::buffer(text.bytes, text.length));
}

template <class Stream>
void read(Stream& stream, bench::structure& into) {
  read(stream, into.kind);
  read(stream, into.flags);
  read(stream, into.port);
  read(stream, into.id);
  read(stream, into.time);
  read(stream, into.value);
  read(stream, into.name);
  read(stream, into.note);
}

template <class Stream>
void answer_all(Stream& stream, const bench::server_options& options) {
  bench::digests owed;
  for (bench::structure read_one;;) {
    read(stream, read_one);
    const auto digest = owed.after(read_one);
    if (!digest) continue;
    if (options.inject_ns > 0ns) bench::spend_cpu(options.inject_ns);
    asio::write(stream, asio::buffer(*digest));
  }
}

fibers::error_code serve_fields(const bench::server_options& options,
                                fibers::stream_socket& stream) try {
  if (options.idle_timeout > 0ns) stream.expires_when_idle(options.idle_timeout);
  if (options.reads == "buffered") {
    asio::buffered_read_stream<fibers::stream_socket&> buffered{stream, bench::fields_buffer};
    answer_all(buffered, options);
  } else {
    answer_all(stream, options);
  }
  return {};
} catch (const boost::system::system_error& end) {
  fibers::error_code ignored;
  stream.flush(ignored);
  return end.code();
}

}  // namespace

int main(int argc, char** argv) {
  return fibers::programs::run_server(argc, argv,
                                      {.name = "fibers_fields",
                                       .reads = {"plain", "buffered"},
                                       .echoes = false,
                                       .purpose = bench::fields_purpose},
                                      serve_fields);
}
