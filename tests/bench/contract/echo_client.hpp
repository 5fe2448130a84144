// echo_client: one connection to a server under test.
//
//     echo_client client{server.port()};
//     client.send("hello");
//     client.receive(5)            // an echo: {.bytes = "hello", .prefixes = 1, .longest = 5}
//
// Messages consist of lower-case letters and the prefix is "GOT:". So a reply can be split into
// prefixes and bytes although it is unknown where the server's receives ended.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

struct echo {
  std::string bytes;        // without the prefixes
  int prefixes = 0;         // one for each receive of the server
  std::size_t longest = 0;  // most bytes after one prefix
};

// Removes the prefixes. Throws std::runtime_error if a prefix is missing or has no bytes after it.
echo parse_echo(std::string_view raw);

class echo_client {
 public:
  // Throws std::system_error if it cannot connect. All members throw that on failure.
  explicit echo_client(int port, const char* host = "127.0.0.1", int buffer_bytes = 0);
  explicit echo_client(const std::filesystem::path& path);
  // Connects from a port of its own that --steer port gives to loop `loop` of `loops`.
  static echo_client for_loop(int loop, int loops, int port, const char* host = "127.0.0.1");
  ~echo_client();
  echo_client(echo_client&& other) noexcept;
  echo_client& operator=(echo_client&& other) noexcept;

  int port() const;  // the client's own
  void send(std::string_view bytes) const;
  // Sends until the kernel accepts nothing for half a second. Returns the number of bytes sent.
  std::size_t send_until_stuck(std::string_view bytes) const;
  // Sends without waiting until the kernel accepts no more, or the connection is closed.
  void fill() const;
  // Sends and never reads. Returns true if the server closes the connection before all is sent.
  bool is_closed_while_sending(std::string_view bytes) const;
  void end() const;                                 // shutdown(SHUT_WR): replies still arrive
  void send_and_end(std::string_view bytes) const;  // the FIN goes with the last bytes
  void reset();                                     // closes with a RST

  // Waits until so many bytes without prefixes, or the end of the stream, have arrived.
  echo receive(std::size_t bytes) const;
  // Both wait for the end of the stream.
  echo receive_all() const { return parse_echo(receive_raw()); }
  std::string receive_raw() const;
  // Discards what arrives, and returns true once the server has closed or reset the connection.
  bool is_refused() const;
  bool has_reply() const;  // or the end of the stream; does not wait
  // Whether the kernel calls the TCP connection established: neither side has ended or reset it.
  bool is_established() const;

 private:
  explicit echo_client(int family, int buffer_bytes);  // not connected yet
  bool receive_some(std::string& raw) const;           // false at the end

  int socket_;
};

// Pseudo-random lower-case letters, so that a lost, repeated or moved byte makes a difference.
std::string body(std::size_t bytes);

// Sends the bytes and waits for the reply. True if the same bytes came back.
bool echoes(const echo_client& client, std::string_view bytes);
