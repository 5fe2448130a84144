// link: whole texts between echobench and rank 0 of a load, over a Unix socket.
//
//     link to_rank_0{std::move(accepted)};
//     to_rank_0.send(to_text(order));
//     const auto text = to_rank_0.receive(100ms);   // nullopt: not yet
#pragma once

#include <bench/contract/descriptor.hpp>
#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>

namespace bench {

// The other end is gone.
struct link_broken : std::runtime_error {
  link_broken() : std::runtime_error{"the other end is gone"} {}
};

class link {
 public:
  // `connected` is a connected stream socket.
  explicit link(descriptor connected) : socket_{std::move(connected)} {}

  // Connects to a Unix socket. Throws link_broken if nobody listens there.
  static link to(const std::string& path);

  void send(const std::string& text);

  // Waits for at most `longest` for the next whole text. A negative time has no end.
  std::optional<std::string> receive(std::chrono::milliseconds longest);

 private:
  std::optional<std::string> take();

  descriptor socket_;
  std::string unread_;
};

// Where rank 0 connects: a Unix socket in a folder that only this user may enter. The destructor
// removes both.
class link_listener {
 public:
  link_listener();
  ~link_listener();
  link_listener(const link_listener&) = delete;
  link_listener& operator=(const link_listener&) = delete;

  const std::string& folder() const { return folder_; }
  std::string path() const { return folder_ + "/link"; }

  // Waits for at most `longest` for the connection. nullopt: none has come.
  std::optional<link> accept(std::chrono::milliseconds longest);

 private:
  std::string folder_;
  descriptor listener_;
};

}  // namespace bench
