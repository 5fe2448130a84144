// floor_http: the HTTP server with no library: a parser of one form of request, and answers that
// stand ready.
//
// It reads the first line of a request and skips its headers. Requests have no body. All answers to
// the requests of one receive leave in one send.
#include <bench/floor/run_server.hpp>
#include <bench/http/request_form.hpp>

#include <string>
#include <vector>

namespace {

using namespace std::string_view_literals;

constexpr auto plaintext =
    "HTTP/1.1 200 OK\r\nServer: bench\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\n"
    "Hello, World!"sv;
constexpr auto json =
    "HTTP/1.1 200 OK\r\nServer: bench\r\nContent-Type: application/json\r\nContent-Length: "sv;
constexpr auto not_found = "HTTP/1.1 404 Not Found\r\nServer: bench\r\nContent-Length: 0\r\n\r\n"sv;
constexpr auto before_name = "\r\n\r\n{\"message\":\"Hello, "sv;
constexpr auto after_name = "!\"}"sv;
// The shortest request with an answer is "GET / HTTP/1.1\r\n\r\n"; no answer is more than so many
// times as long as its request.
constexpr std::size_t most_growth = 5;

class http_service : public bench::floor_service {
 public:
  explicit http_service(std::chrono::nanoseconds injected) : injected_{injected} {}

  bench::floor_answer answer(int fd, std::string_view received) override {
    answers_.clear();
    auto& begun = begun_of(fd);
    if (!begun.empty()) received = begun.append(received);
    for (auto end = received.find(blank); end != received.npos; end = received.find(blank)) {
      if (!answer_to(received.substr(0, end))) return {answers_, true};
      received.remove_prefix(end + blank.size());
    }
    begun = std::string{received};
    return {answers_, received.size() > bench::longest_http_head};
  }

  std::size_t most_answer(std::size_t received) const override {
    return most_growth * (received + bench::longest_http_head);
  }

  void forget(int fd) override { begun_of(fd).clear(); }

 private:
  static constexpr auto blank = "\r\n\r\n"sv;

  // The beginning of a request whose end has not come.
  std::string& begun_of(int fd) {
    const auto index = static_cast<std::size_t>(fd);
    if (begun_.size() <= index) begun_.resize(index + 1);
    return begun_[index];
  }

  // False: it is no request of the one form.
  bool answer_to(std::string_view request) {
    constexpr auto get = "GET "sv, version = " HTTP/1.1"sv;
    auto line = request.substr(0, request.find("\r\n"));
    if (line.size() < get.size() + version.size()) return false;
    if (!line.starts_with(get) || !line.ends_with(version)) return false;
    line.remove_prefix(get.size());
    line.remove_suffix(version.size());
    if (injected_.count() > 0) bench::spend_cpu(injected_);
    if (line == "/plaintext") {
      answers_ += plaintext;
    } else if (const auto name = bench::name_in(line); !name.empty()) {
      answers_ += json;
      answers_ +=
          std::to_string(before_name.size() - blank.size() + name.size() + after_name.size());
      ((answers_ += before_name) += name) += after_name;
    } else {
      answers_ += not_found;
    }
    return true;
  }

  std::chrono::nanoseconds injected_;
  std::string answers_;             // of all connections in turn
  std::vector<std::string> begun_;  // index: descriptor
};

}  // namespace

int main(int argc, char** argv) {
  return bench::run_floor(
      argc, argv, {.name = "floor_http", .echoes = false, .purpose = bench::http_purpose},
      [](const bench::server_options& options) -> std::unique_ptr<bench::floor_service> {
        return std::make_unique<http_service>(options.inject_ns);
      },
      [](const bench::server_options&) { return bench::http_receive_bytes; });
}
