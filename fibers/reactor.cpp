#include <fibers/reactor.hpp>

#include <algorithm>
#include <cstddef>
#include <iterator>

namespace fibers {
namespace {

// In the order of `io`.
constexpr std::string_view names[] = {"auto", "select", "poll", "epoll", "io_uring"};

}  // namespace

std::string_view name_of(io backend) noexcept {
  const auto index = static_cast<std::size_t>(backend);
  return index < std::size(names) ? names[index] : "unknown";
}

std::optional<io> io_named(std::string_view name) noexcept {
  const auto found = std::ranges::find(names, name);
  if (found == std::end(names)) return std::nullopt;
  return static_cast<io>(found - names);
}

}  // namespace fibers
