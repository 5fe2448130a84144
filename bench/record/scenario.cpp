#include <bench/record/scenario.hpp>

#include <fmt/format.h>

#include <bench/text/numbers.hpp>
#include <charconv>
#include <optional>
#include <stdexcept>
#include <utility>

namespace bench {
namespace {

constexpr int kibibyte = 1024;
// How far the messages of a stream run ahead of the replies: little enough that those of 16
// connections stay in a cache, or the same load costs once twice as much as another time.
constexpr int stream_ahead = 64 * kibibyte;
constexpr int least_of_stream = kibibyte;

[[noreturn]] void reject(std::string_view text) {
  throw std::invalid_argument(fmt::format(
      "scenario '{}' is not c<connections>/<bytes>[K][+<connections>idle][/d<outstanding>] with "
      "1 to {} connections, {} bytes to 1024K, 1 to {} outstanding, and /r<percent>% or "
      "/r<per second>[k] for an open loop, or /churn, /stream or /oneway at the end, and /tls; or "
      "plaintext, json or fields instead of bytes: for example c64/512, c16/16K/d4, c64/512/r50%, "
      "c1/64K/stream, c64/json, c64/512/tls",
      text, max_connections, min_message_bytes, max_depth));
}

// Removes the number at the front of `text` and returns it; nullopt: there is none.
std::optional<int> take_number(std::string_view& text) {
  int number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || text.front() == '-') return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

bool take(std::string_view& text, std::string_view expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(expected.size());
  return true;
}

// Removes the name of a service at the front of `text`. Without one it is an echo.
service take_service(std::string_view& text) {
  for (const auto each : {service::plaintext, service::json, service::fields})
    if (take(text, name_of(each))) return each;
  return service::echo;
}

std::string bytes_text(int bytes) {
  return bytes % kibibyte == 0 ? fmt::format("{} KiB", bytes / kibibyte)
                               : fmt::format("{} B", bytes);
}

bool within(int number, int low, int high) {
  return low <= number && number <= high;
}

}  // namespace

scenario scenario::parse(std::string_view text) {
  auto rest = text;
  const auto number = [&](int low, int high) {
    const auto found = take_number(rest);
    if (!found || !within(*found, low, high)) reject(text);
    return *found;
  };
  const auto thousands = [&](std::string_view sign, int thousand, int high) {
    const int found = number(1, high);
    if (!take(rest, sign)) return found;
    if (found > high / thousand) reject(text);
    return found * thousand;
  };

  scenario result;
  if (!take(rest, "c")) reject(text);
  result.connections = number(1, max_connections);
  if (!take(rest, "/")) reject(text);
  result.asks = take_service(rest);
  result.message_bytes = result.asks == service::echo ? thousands("K", kibibyte, max_message_bytes)
                                                      : request_bytes(result.asks);
  if (result.message_bytes < min_message_bytes) reject(text);
  if (result.asks == service::fields) {
    if (!rest.empty()) reject(text);
    result.depth = stream_ahead / result.message_bytes;
    return result;
  }
  if (take(rest, "+")) {
    result.idle_connections = number(1, max_connections);
    if (!take(rest, "idle")) reject(text);
  }
  if (take(rest, "/d")) result.depth = number(1, max_depth);
  if (take(rest, "/r")) {
    result.rate_per_second = thousands("k", 1000, max_rate);
    if (take(rest, "%")) result.rate_percent = std::exchange(result.rate_per_second, 0);
    if (!within(result.rate_percent, 0, 100)) reject(text);
  }
  const bool plain = result.depth == 1 && result.idle_connections == 0 && !result.open_loop();
  const bool echoes = result.asks == service::echo;
  result.churn = plain && take(rest, "/churn");
  result.one_way = plain && echoes && take(rest, "/oneway");
  result.stream = result.one_way || (plain && echoes && !result.churn && take(rest, "/stream"));
  result.tls = echoes && !result.one_way && take(rest, "/tls");
  if (!rest.empty()) reject(text);
  if (result.stream && result.message_bytes < least_of_stream) reject(text);
  if (result.stream) result.depth = std::max(2, stream_ahead / result.message_bytes);
  return result;
}

scenario scenario::at_full_rate() const {
  auto full = *this;
  full.rate_per_second = full.rate_percent = 0;
  return full;
}

scenario scenario::smallest() const {
  scenario one{.asks = asks, .tls = tls};
  if (asks != service::echo) one.message_bytes = message_bytes;
  return one;
}

scenario scenario::checked() const {
  return parse(text());
}

std::string scenario::text() const {
  const auto in = [](int number, int thousand, const char* sign) {
    return number % thousand == 0 ? fmt::format("{}{}", number / thousand, sign)
                                  : fmt::format("{}", number);
  };
  auto name = fmt::format("c{}/{}", connections,
                          asks == service::echo ? in(message_bytes, kibibyte, "K") : name_of(asks));
  if (asks == service::fields) return name;
  if (idle_connections > 0) name += fmt::format("+{}idle", idle_connections);
  if (depth != 1 && !stream) name += fmt::format("/d{}", depth);
  if (rate_per_second > 0) name += fmt::format("/r{}", in(rate_per_second, 1000, "k"));
  if (rate_percent > 0) name += fmt::format("/r{}%", rate_percent);
  if (churn) name += "/churn";
  if (stream) name += one_way ? "/oneway" : "/stream";
  if (tls) name += "/tls";
  return name;
}

std::string scenario::words() const {
  const auto what = (is_http(asks)             ? fmt::format("HTTP {}", name_of(asks))
                     : asks == service::fields ? "structures, read field by field"
                                               : bytes_text(message_bytes)) +
                    (tls ? " under TLS" : "");
  if (churn) return fmt::format("a connection per message × {}, {} at a time", what, connections);
  auto said = fmt::format("{} {} × {}", count_text(connections),
                          connections == 1 ? "connection" : "connections", what);
  if (asks == service::fields) return said;
  if (stream) return said + (one_way ? ", one way" : ", streamed");
  if (depth != 1) said += fmt::format(", {} outstanding", depth);
  if (rate_per_second > 0) said += fmt::format(", {} messages/s", count_text(rate_per_second));
  if (rate_percent > 0) said += fmt::format(", {} % of the full rate", rate_percent);
  if (idle_connections > 0) said += fmt::format(", {} idle beside", count_text(idle_connections));
  return said;
}

}  // namespace bench
