#include <bench/doctor/skew.hpp>

#include <bench/contract/descriptor.hpp>

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <thread>

namespace bench {
namespace {

using clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto longest_wait = 250ms;  // for one connection, and for all to be accepted

void expect_success(int result, const char* what) {
  if (result < 0) throw std::system_error{errno, std::system_category(), what};
}

descriptor new_socket() {
  descriptor made{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  expect_success(made.get(), "socket");
  return made;
}

sockaddr_in loopback() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// The first one finds a free port and writes it into `address`. The others share it.
descriptor new_listener(sockaddr_in& address) {
  auto made = new_socket();
  const int on = 1;
  socklen_t length = sizeof address;
  auto* any = reinterpret_cast<sockaddr*>(&address);
  expect_success(setsockopt(made.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on), "SO_REUSEPORT");
  expect_success(bind(made.get(), any, length), "bind");
  expect_success(getsockname(made.get(), any, &length), "getsockname");
  expect_success(listen(made.get(), shared_out_connections), "listen");
  return made;
}

// It closes with a reset, which leaves no port in TIME_WAIT.
descriptor new_client(const sockaddr_in& address) {
  auto made = new_socket();
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  setsockopt(made.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  const timeval limit{.tv_sec = 0, .tv_usec = std::chrono::microseconds{longest_wait}.count()};
  setsockopt(made.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  const auto* to = reinterpret_cast<const sockaddr*>(&address);
  if (connect(made.get(), to, sizeof address) == 0) return made;
  if (errno == EINPROGRESS) errno = ETIMEDOUT;  // the limit has passed
  throw std::system_error{errno, std::system_category(), "connect"};
}

bool accepts_one(int listener) {
  return static_cast<bool>(descriptor{accept4(listener, nullptr, nullptr, SOCK_CLOEXEC)});
}

std::vector<int> accepted_by(const std::vector<int>& listeners) {
  std::vector<int> counts(listeners.size());
  int all = 0;
  // Looks once more after the limit: this thread may have been off the processor.
  for (auto until = clock::now() + longest_wait, now = until - longest_wait;; now = clock::now()) {
    for (std::size_t i = 0; i < listeners.size(); ++i)
      for (; accepts_one(listeners[i]); ++all) ++counts[i];
    if (all == shared_out_connections) return counts;
    if (now >= until) break;
    std::this_thread::sleep_for(1ms);
  }
  throw std::system_error{ETIMEDOUT, std::system_category(), "accept"};
}

share share_out_once(steering how, int count) {
  auto address = loopback();
  std::vector<descriptor> listeners, clients;
  std::vector<int> numbers;
  for (int i = 0; i < count; ++i) {
    listeners.push_back(new_listener(address));
    numbers.push_back(listeners.back().get());
    expect_success(fcntl(numbers.back(), F_SETFL, O_NONBLOCK), "fcntl");
  }
  steer(numbers, how);
  for (int i = 0; i < shared_out_connections; ++i) clients.push_back(new_client(address));
  const auto counts = accepted_by(numbers);
  return {count, std::ranges::max(counts), std::ranges::min(counts)};
}

share usual_share(steering how, int count) {
  std::array<share, 5> tries;
  for (auto& each : tries) each = share_out_once(how, count);
  auto* middle = tries.begin() + tries.size() / 2;
  std::ranges::nth_element(tries, middle, {},
                           [](const share& each) { return each.most - each.fewest; });
  return *middle;
}

}  // namespace

sharing share_out(steering how, const std::vector<int>& listener_counts) try {
  sharing found;
  for (const int each : listener_counts) found.shares.push_back(usual_share(how, each));
  return found;
} catch (const std::system_error& error) {
  return {{}, error.code().message()};
}

}  // namespace bench
