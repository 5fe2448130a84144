// echo_client: one connection to a server under test, and the bytes that come back.
//
//     echo_client client{server.port()};
//     client.send("hello");
//     client.receive(5)            // an echo: {.bytes = "hello", .prefixes = 1, .longest = 5}
//
// Bodies are lower case and the prefix is GOT:, so in a reply the two are told apart without
// knowing where the server's receives ended.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

struct echo {
  std::string bytes;        // without the prefixes
  int prefixes = 0;         // how many receives the server took
  std::size_t longest = 0;  // bytes behind one prefix
};

// The echo of a raw stream of replies. Throws std::runtime_error where it is not one.
echo parse_echo(std::string_view raw);

class echo_client {
 public:
  // Throws std::system_error where the server does not accept, as do all functions that fail.
  explicit echo_client(int port, const char* host = "127.0.0.1", int buffer_bytes = 0);
  explicit echo_client(const std::filesystem::path& path);
  ~echo_client();
  echo_client(echo_client&& other) noexcept;
  echo_client& operator=(echo_client&& other) noexcept;

  int port() const;  // its own
  void send(std::string_view bytes) const;
  // Sends until nothing was taken for half a second, and says how much was.
  std::size_t send_until_stuck(std::string_view bytes) const;
  // Sends what its kernel takes without waiting; nothing where the connection is closed.
  void fill() const;
  // Sends and never reads. True when the server closes the connection before all was taken.
  bool is_closed_while_sending(std::string_view bytes) const;
  void end() const;                                 // no more will be sent, replies still come
  void send_and_end(std::string_view bytes) const;  // in one segment
  void reset();                                     // and forget the connection

  // Waits for the echo of so many bytes.
  echo receive(std::size_t bytes) const;
  // Waits for the end of the stream.
  echo receive_all() const { return parse_echo(receive_raw()); }
  std::string receive_raw() const;
  // True when the server has closed or reset; reads and drops what comes before.
  bool is_refused() const;
  bool has_reply() const;  // without waiting

 private:
  explicit echo_client(int family, int buffer_bytes);  // not connected yet
  bool receive_some(std::string& raw) const;           // false at the end

  int socket_;
};

// Lower case letters in which a lost, doubled or moved byte shows.
std::string body(std::size_t bytes);

// Sends and receives; true when the same bytes came back.
bool echoes(const echo_client& client, std::string_view bytes);
