#include <bench/load/conversation/http.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <bench/load/echo_connection.hpp>
#include <bench/text/failure.hpp>
#include <boost/algorithm/string/predicate.hpp>
#include <charconv>
#include <cstring>
#include <utility>

namespace bench {
namespace {

constexpr std::string_view alphabet = "abcdefghijklmnopqrstuvwxyz012345";
constexpr std::string_view plaintext_request =
    "GET /plaintext HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n";
constexpr std::string_view json_request =
    "GET /json/0123456789abcdef HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n";
constexpr std::size_t json_stamp_at = std::string_view{"GET /json/"}.size();
static_assert(plaintext_request.size() == request_bytes(service::plaintext));
static_assert(json_request.size() == request_bytes(service::json));

constexpr std::string_view plaintext_body = "Hello, World!";
constexpr std::size_t longest_reply = 16384;
constexpr std::size_t date_bytes = std::string_view{"Sun, 06 Nov 1994 08:49:37 GMT"}.size();

[[noreturn]] void refuse(std::string_view what, std::string_view text) {
  throw wrong_reply(fmt::format("{} in the HTTP reply {:?}", what, text.substr(0, 200)));
}

// Where the value of a header begins; nullopt: there is no such header.
std::optional<std::size_t> find_header(std::string_view head, std::string_view name) {
  for (auto end = head.find("\r\n"); end != head.npos; end = head.find("\r\n", end + 2)) {
    auto at = end + 2;
    const auto line = head.substr(at);
    if (!boost::istarts_with(line, name) || !line.substr(name.size()).starts_with(':')) continue;
    at += name.size() + 1;
    while (at < head.size() && head[at] == ' ') ++at;
    return at;
  }
  return std::nullopt;
}

std::size_t content_length(std::string_view head) {
  const auto at = find_header(head, "Content-Length");
  if (!at) refuse("no Content-Length", head);
  std::size_t length = 0;
  const auto [end, error] = std::from_chars(head.data() + *at, head.data() + head.size(), length);
  if (error != std::errc{} || length > longest_reply) refuse("no usable Content-Length", head);
  return length;
}

}  // namespace

std::optional<http_reply> read_http_reply(service asked, std::string_view text,
                                          std::string_view stamp) {
  constexpr std::string_view wanted = "HTTP/1.1 200 ";
  if (!wanted.starts_with(text.substr(0, wanted.size()))) refuse("no status 200", text);
  const auto blank = text.find("\r\n\r\n");
  if (blank == text.npos) {
    if (text.size() >= longest_reply) refuse("no end of the headers", text);
    return std::nullopt;
  }
  const auto head = text.substr(0, blank + 2);
  const auto body_at = blank + 4;
  const auto size = body_at + content_length(head);
  if (text.size() < size) return std::nullopt;
  if (text.size() > size) refuse("more than the Content-Length says", text);

  http_reply found{.text = std::string{text}, .date_at = find_header(head, "Date")};
  if (found.date_at && *found.date_at + date_bytes > head.size()) found.date_at.reset();
  const auto body = text.substr(body_at);
  if (asked == service::plaintext) {
    if (body != plaintext_body) refuse(fmt::format("not the body {:?}", plaintext_body), text);
    return found;
  }
  const auto at = body.find(fmt::format("Hello, {}!", stamp));
  if (at == body.npos) refuse(fmt::format("no \"Hello, {}!\"", stamp), text);
  found.stamp_at = body_at + at + std::string_view{"Hello, "}.size();
  return found;
}

http_reply first_http_reply(service asked, const std::string& server, const address& where,
                            std::chrono::nanoseconds patience, const std::atomic<bool>& stop) {
  std::string request{asked == service::json ? json_request : plaintext_request};
  std::string stamp(stamp_bytes, '\0');
  write_stamp(stamp.data(), 0, 0, alphabet);
  if (asked == service::json) stamp.copy(request.data() + json_stamp_at, stamp_bytes);
  std::optional<http_reply> found;
  ask_once(server, where, patience, stop, request, "speak HTTP", [&](std::string_view reply) {
    try {
      found = read_http_reply(asked, reply, stamp);
    } catch (const wrong_reply& error) {
      throw wrong_reply(fmt::format("{}: {}", server, error.what()));
    }
    return found.has_value();
  });
  return *found;
}

http_conversation::http_conversation(service asked, http_reply pattern)
    : conversation{static_cast<std::size_t>(request_bytes(asked))},
      asked_{asked},
      pattern_{std::move(pattern)} {}

void http_conversation::write(char* target, std::uint32_t connection,
                              std::uint64_t sequence) const {
  if (asked_ == service::plaintext) {
    std::memcpy(target, plaintext_request.data(), plaintext_request.size());
    return;
  }
  std::memcpy(target, json_request.data(), json_request.size());
  write_stamp(target + json_stamp_at, connection, sequence, alphabet);
}

// Whatever date has arrived is right.
void http_conversation::copy_date(std::size_t first, std::string_view arrived) {
  const auto begin = std::max(first, *pattern_.date_at);
  const auto end = std::min(first + arrived.size(), *pattern_.date_at + date_bytes);
  if (begin < end) arrived.copy(pattern_.text.data() + begin, end - begin, begin - first);
}

int http_conversation::check(reply_position& at, std::uint32_t connection,
                             std::string_view arrived) {
  const auto first = at.sequence;
  auto& text = pattern_.text;
  at.bytes_checked += arrived.size();
  while (!arrived.empty()) {
    if (pattern_.stamp_at)
      write_stamp(text.data() + *pattern_.stamp_at, connection, at.sequence, alphabet);
    const auto length = std::min(text.size() - at.message_at, arrived.size());
    if (pattern_.date_at) copy_date(at.message_at, arrived.substr(0, length));
    const auto* expected = text.data() + at.message_at;
    if (std::memcmp(expected, arrived.data(), length) != 0) {
      const auto other = std::mismatch(expected, expected + length, arrived.data());
      throw_wrong_byte(at, connection, "reply", static_cast<std::size_t>(other.first - text.data()),
                       *other.first, *other.second);
    }
    arrived.remove_prefix(length);
    at.message_at += length;
    if (at.message_at < text.size()) continue;
    at.message_at = 0;
    ++at.sequence;
  }
  return static_cast<int>(at.sequence - first);
}

}  // namespace bench
