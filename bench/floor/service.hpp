// service: what the bare loop answers with, where it does not echo.
//
//     class greeter : public floor_service { ... };
//     service->answer(fd, received);        // "hello"
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace bench {

// Each loop has its own. Its memory of connections is its own, too: a descriptor names one.
class floor_service {
 public:
  floor_service() = default;
  floor_service(const floor_service&) = delete;
  floor_service& operator=(const floor_service&) = delete;
  virtual ~floor_service() = default;

  // What to send now that `received` has come; it may be empty, and is valid until the next call.
  // nullopt: this service cannot go on with the connection, so it is to be closed.
  virtual std::optional<std::string_view> answer(int fd, std::string_view received) = 0;

  // At most so many bytes are answered to `received` bytes.
  virtual std::size_t most_answer(std::size_t received) const = 0;

  // The connection has ended, and its descriptor may come again.
  virtual void forget(int fd) = 0;
};

}  // namespace bench
