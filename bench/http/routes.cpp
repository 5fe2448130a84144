#include <bench/http/routes.hpp>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <string>
#include <string_view>

namespace bench {
namespace {

constexpr std::size_t first_answers = 512;
constexpr std::size_t most_answers = 65536;

// Beast's serializer composes a response of seven buffers and walks over them several times, which
// took most of the instructions of a request (docs/notes.md). This is one pass.
void append(std::string& text, const http_response& response) {
  const auto add = [&](const auto& piece) { text.append(piece.data(), piece.size()); };
  text += response.version() == 10 ? "HTTP/1.0 " : "HTTP/1.1 ";
  ((text += std::to_string(response.result_int())) += ' ') += response.reason();
  text += "\r\n";
  for (const auto& field : response) {
    add(field.name_string());
    text += ": ";
    add(field.value());
    text += "\r\n";
  }
  (text += "\r\n") += response.body();
}

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
  append(answers_, response);
}

bool http_exchange::is_due() const {
  if (is_last_ || answers_.size() >= most_answers) return true;
  const auto rest = received.cdata();
  const std::string_view text{static_cast<const char*>(rest.data()), rest.size()};
  return text.find("\r\n\r\n") == text.npos;
}

}  // namespace bench
