// service: what the bare loop answers with, where it does not echo.
//
//     class greeter : public floor_service { ... };
//     service->answer(fd, received).bytes;        // "hello"
#pragma once

#include <cstddef>
#include <string_view>

namespace bench {

struct floor_answer {
  std::string_view bytes{};  // may be empty; valid until the next call
  bool last = false;         // once they are sent, the connection is to be closed
};

// Each loop has its own. Its memory of connections is its own, too: a descriptor names one.
class floor_service {
 public:
  floor_service() = default;
  floor_service(const floor_service&) = delete;
  floor_service& operator=(const floor_service&) = delete;
  virtual ~floor_service() = default;

  // What to send now that `received` has come. The service burns --inject-ns for each message.
  virtual floor_answer answer(int fd, std::string_view received) = 0;

  // At most so many bytes are answered to `received` bytes.
  virtual std::size_t most_answer(std::size_t received) const = 0;

  // The connection has ended, and its descriptor may come again.
  virtual void forget(int fd) = 0;
};

}  // namespace bench
