#include <bench/http/routes.hpp>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <string>
#include <string_view>

namespace bench {
namespace {

constexpr std::size_t first_answers = 512;
constexpr std::size_t most_answers = 65536;

// A SyncWriteStream that writes into memory.
struct memory_stream {
  boost::beast::flat_buffer& target;

  template <class Buffers>
  std::size_t write_some(const Buffers& buffers, boost::beast::error_code& error) {
    error = {};
    const auto size =
        boost::asio::buffer_copy(target.prepare(boost::asio::buffer_size(buffers)), buffers);
    target.commit(size);
    return size;
  }
  template <class Buffers>
  std::size_t write_some(const Buffers& buffers) {
    boost::beast::error_code never;
    return write_some(buffers, never);
  }
};

}  // namespace

http_response answer_to(const http_request& asked) {
  namespace http = boost::beast::http;
  http_response answer{http::status::ok, asked.version()};
  answer.set(http::field::server, "bench");
  answer.keep_alive(asked.keep_alive());
  const std::string_view path{asked.target().data(), asked.target().size()};
  const auto name = name_in(path);
  if (asked.method() != http::verb::get || (path != "/plaintext" && name.empty())) {
    answer.result(http::status::not_found);
  } else if (name.empty()) {
    answer.set(http::field::content_type, "text/plain");
    answer.body() = "Hello, World!";
  } else {
    answer.set(http::field::content_type, "application/json");
    answer.body() = boost::json::serialize(
        boost::json::object{{"message", "Hello, " + std::string{name} + "!"}});
  }
  answer.prepare_payload();
  return answer;
}

http_exchange::http_exchange() {
  received.reserve(http_receive_bytes);
  answers_.reserve(first_answers);
}

void http_exchange::answer(const http_request& asked) {
  const auto response = answer_to(asked);
  is_last_ = !response.keep_alive();
  memory_stream into{answers_};
  boost::beast::error_code never;
  boost::beast::http::write(into, response, never);
}

bool http_exchange::is_due() const {
  if (is_last_ || answers_.size() >= most_answers) return true;
  const auto rest = received.cdata();
  const std::string_view text{static_cast<const char*>(rest.data()), rest.size()};
  return text.find("\r\n\r\n") == text.npos;
}

}  // namespace bench
