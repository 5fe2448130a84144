#include <fibers/reactor.hpp>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>

namespace fibers {

std::string_view name_of(io backend) noexcept {
  const auto index = static_cast<std::size_t>(backend);
  return index < io_names.size() ? io_names[index] : "unknown";
}

std::optional<io> io_named(std::string_view name) noexcept {
  const auto found = std::ranges::find(io_names, name);
  if (found == io_names.end()) return std::nullopt;
  return static_cast<io>(found - io_names.begin());
}

// EPIPE is not among them: the peer, or this side, has ended the stream in order.
bool reactor::ends_connection(int error) noexcept {
  constexpr std::array ends{ECONNRESET,  ECONNABORTED, ETIMEDOUT, EHOSTUNREACH,
                            ENETUNREACH, EHOSTDOWN,    ENETDOWN};
  return std::ranges::find(ends, error) != ends.end();
}

}  // namespace fibers
