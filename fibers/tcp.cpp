#include <fibers/tcp.hpp>

#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <boost/beast/core/role.hpp>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace fibers::tcp {
namespace {

std::string text_of(const endpoint& where) {
  const auto address = where.address().to_string();
  return (where.address().is_v6() ? "[" + address + "]" : address) + ":" +
         std::to_string(where.port());
}

endpoint from_sockaddr(const sockaddr* address, socklen_t length) {
  endpoint result;
  std::memcpy(result.data(), address, length);
  result.resize(length);
  return result;
}

// The addresses of an empty name are the loopback's.
std::vector<endpoint> resolve(std::string_view host, std::uint16_t port, error_code& error) {
  error = {};
  const std::string name{host};
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* first = nullptr;
  const bool cut = name.find('\0') != name.npos;  // getaddrinfo() would look up what is before it
  const int failure =
      cut ? EAI_NONAME : ::getaddrinfo(name.empty() ? nullptr : name.c_str(), "0", &hints, &first);
  if (failure != 0) {
    error.assign(failure, boost::asio::error::get_addrinfo_category());
    return {};
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner{first, &::freeaddrinfo};
  std::vector<endpoint> found;
  for (const auto* at = first; at != nullptr; at = at->ai_next) {
    found.push_back(from_sockaddr(at->ai_addr, at->ai_addrlen));
    found.back().port(port);
  }
  return found;
}

[[noreturn]] void throw_error_at(const error_code& error, const char* what, std::string_view host,
                                 std::uint16_t port) {
  std::string name{host};
  std::ranges::replace(name, '\0', '?');
  if (error.category() == boost::asio::error::get_addrinfo_category()) {
    throw_error(error, "look up " + name);
  }
  const bool is_v6 = name.find(':') != std::string::npos;
  throw_error(error, what + (is_v6 ? "[" + name + "]" : name) + ":" + std::to_string(port));
}

using name_getter = int(int, sockaddr*, socklen_t*) noexcept;

endpoint name_of_socket(name_getter* get, int descriptor, error_code& error) noexcept {
  endpoint result;
  auto length = static_cast<socklen_t>(result.capacity());
  const bool known = get(descriptor, result.data(), &length) == 0;
  error = code_of(known ? 0 : errno);
  return known ? result : endpoint{};
}

endpoint name_of_socket(name_getter* get, int descriptor, const char* what) {
  error_code error;
  auto result = name_of_socket(get, descriptor, error);
  if (error) throw_error(error, what);
  return result;
}

bool set(int descriptor, int level, int option, int value) {
  return ::setsockopt(descriptor, level, option, &value, sizeof value) == 0;
}

// False: errno has the reason.
bool set_options(int descriptor, const listener_options& options) {
  return set(descriptor, SOL_SOCKET, SO_REUSEADDR, 1) &&
         (!options.reuse_port || set(descriptor, SOL_SOCKET, SO_REUSEPORT, 1)) &&
         (!options.no_delay || set(descriptor, IPPROTO_TCP, TCP_NODELAY, 1));
}

}  // namespace

// --- stream ----------------------------------------------------------------------------------

stream stream::from_descriptor(int descriptor) {
  stream taken;
  taken.assign(descriptor);
  return taken;
}

void stream::connect(const endpoint& peer, error_code& error) {
  socket::connect(peer.data(), static_cast<socklen_t>(peer.size()), error);
}

void stream::connect(const endpoint& peer) {
  error_code error;
  connect(peer, error);
  if (error) throw_error(error, "connect to " + text_of(peer));
}

endpoint stream::local_endpoint(error_code& error) const noexcept {
  return name_of_socket(::getsockname, native_handle(), error);
}
endpoint stream::local_endpoint() const {
  return name_of_socket(::getsockname, native_handle(), "local_endpoint");
}
endpoint stream::remote_endpoint(error_code& error) const noexcept {
  return name_of_socket(::getpeername, descriptor_, error);
}
endpoint stream::remote_endpoint() const {
  return name_of_socket(::getpeername, descriptor_, "remote_endpoint");
}

// --- listener --------------------------------------------------------------------------------

listener::listener(std::string_view host, std::uint16_t port, const listener_options& options)
    : listener{} {
  error_code error;
  listen(host, port, options, error);
  if (error) throw_error_at(error, "listen on ", host, port);
}

listener::listener(const endpoint& local, const listener_options& options) : listener{} {
  error_code error;
  listen(local, options, error);
  if (error) throw_error(error, "listen on " + text_of(local));
}

// Listens on the first address, in the order that the resolver prefers.
void listener::listen(std::string_view host, std::uint16_t port, const listener_options& options,
                      error_code& error) {
  if (host.empty()) {
    error = code_of(listen_everywhere(port, options));
    return;
  }
  const auto found = resolve(host, port, error);
  if (error) return drop_descriptor();
  listen(found.front(), options, error);
}

void listener::listen(const endpoint& local, const listener_options& options, error_code& error) {
  error = code_of(listen_at(local, options, false));
}

// One socket for both families. A machine without IPv6 has the other one only.
int listener::listen_everywhere(std::uint16_t port, const listener_options& options) {
  using boost::asio::ip::tcp;
  const int failure = listen_at(endpoint{tcp::v6(), port}, options, true);
  if (failure != EAFNOSUPPORT && failure != EADDRNOTAVAIL) return failure;
  return listen_at(endpoint{tcp::v4(), port}, options, false);
}

int listener::listen_at(const endpoint& local, const listener_options& options,
                        bool both_families) {
  int failure = open(local.protocol().family());
  if (failure == 0 && !set_options(descriptor_, options)) failure = errno;
  if (failure == 0 && both_families && !set(descriptor_, IPPROTO_IPV6, IPV6_V6ONLY, 0)) {
    failure = errno;
  }
  const auto length = static_cast<socklen_t>(local.size());
  if (failure == 0) failure = socket::listen(local.data(), length, options.backlog);
  if (failure != 0) drop_descriptor();
  return failure;
}

stream listener::accept(error_code& error) {
  auto* const owner = scheduler_;  // this listener may be gone when the call ends
  const int accepted = socket::accept(error);
  return error ? stream{} : stream{*owner, accepted};
}

stream listener::accept() {
  error_code error;
  auto accepted = accept(error);
  if (error) throw_error(error, "accept");
  return accepted;
}

stream listener::accept(endpoint& peer, error_code& error) {
  auto accepted = accept(error);
  error_code unknown;
  if (!error) peer = accepted.remote_endpoint(unknown);
  return accepted;
}

stream listener::accept(endpoint& peer) {
  error_code error;
  auto accepted = accept(peer, error);
  if (error) throw_error(error, "accept");
  return accepted;
}

endpoint listener::local_endpoint(error_code& error) const noexcept {
  return name_of_socket(::getsockname, native_handle(), error);
}
endpoint listener::local_endpoint() const {
  return name_of_socket(::getsockname, native_handle(), "local_endpoint");
}

stream connect(std::string_view host, std::uint16_t port, error_code& error) {
  return connect_until(host, port, never, error);
}

stream connect(std::string_view host, std::uint16_t port) {
  return connect_until(host, port, never);
}

stream connect_until(std::string_view host, std::uint16_t port, clock::time_point moment,
                     error_code& error) {
  for (const auto& peer : resolve(host, port, error)) {
    stream connected;
    if (moment != never) connected.expires_at(moment);
    connected.connect(peer, error);
    connected.expires_never();
    if (!error) return connected;
  }
  return {};
}

stream connect_until(std::string_view host, std::uint16_t port, clock::time_point moment) {
  error_code error;
  auto connected = connect_until(host, port, moment, error);
  if (error) throw_error_at(error, "connect to ", host, port);
  return connected;
}

// The server shuts down first, so that its side and not the client's keeps the connection in
// TIME_WAIT (RFC 6455, 7.1.1). The client reads to the end first, so it knows that all was
// delivered.
void teardown(boost::beast::role_type role, stream& ended, error_code& error) {
  constexpr auto no_more = boost::asio::socket_base::shutdown_send;
  error = {};
  if (role == boost::beast::role_type::server) ended.shutdown(no_more, error);
  std::array<char, 2048> dropped;
  while (!error) ended.read_some(boost::asio::buffer(dropped), error);
  if (error != boost::asio::error::eof) return;
  error = {};
  if (role == boost::beast::role_type::client) ended.shutdown(no_more, error);
  ended.close();
}

}  // namespace fibers::tcp
