// http: requests over connections that stay open, pipelined if the load says so.
//
//     const auto first = first_http_reply(service::json, "fibers/epoll", where, 5s, stop);
//     http_conversation talk{service::json, first};
//
// The first reply of a server, on a connection of its own, is the pattern of all others: they must
// be the same byte by byte, but for the value of a Date header. The name in a request for JSON
// differs from message to message, and the body must hold it.
#pragma once

#include <bench/load/conversation/conversation.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace bench {

struct http_reply {
  std::string text;
  std::optional<std::size_t> stamp_at{};  // where the name of the message stands
  std::optional<std::size_t> date_at{};   // of 29 characters that may differ
};

// Reads the reply at the beginning of `text` to a request that named `stamp`. nullopt: it is not
// complete. Throws wrong_reply, which says what is wrong with it.
std::optional<http_reply> read_http_reply(service asked, std::string_view text,
                                          std::string_view stamp);

http_reply first_http_reply(service asked, const std::string& server, const address& where,
                            std::chrono::nanoseconds patience, const std::atomic<bool>& stop);

class http_conversation : public conversation {
 public:
  http_conversation(service asked, http_reply pattern);

  void write(char* target, std::uint32_t connection, std::uint64_t sequence) const override;
  int check(reply_position& at, std::uint32_t connection, std::string_view arrived) override;

 private:
  void copy_date(std::size_t first, std::string_view arrived);

  service asked_;
  http_reply pattern_;  // its text is the reply being compared
};

}  // namespace bench
