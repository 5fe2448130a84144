#include <tests/bench/contract/honest_clients.hpp>

#include <poll.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <stdexcept>

#include <tests/bench/contract/raw_connection.hpp>

namespace {

constexpr std::size_t letters_per_message = 32;

// epoll_wait() counts in milliseconds, which is too coarse.
void wait_for(int epoll, std::chrono::nanoseconds most) {
  const auto left = std::max(most, std::chrono::nanoseconds::zero());
  const timespec timeout{.tv_sec = left.count() / 1'000'000'000,
                         .tv_nsec = left.count() % 1'000'000'000};
  pollfd any{.fd = epoll, .events = POLLIN, .revents = 0};
  ppoll(&any, 1, &timeout, nullptr);
}

void expect_connected(int socket) {
  pollfd connecting{.fd = socket, .events = POLLOUT, .revents = 0};
  poll(&connecting, 1, static_cast<int>(milliseconds{patience}.count()));
  if (connecting.revents != POLLOUT) throw std::runtime_error{"an honest client cannot connect"};
}

}  // namespace

double round_trips::quantile_us(double share) const {
  if (sorted_us.empty()) return 0;
  const auto rank = std::ceil(share * static_cast<double>(sorted_us.size()));
  return sorted_us[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
}

honest_clients::honest_clients(int port, std::size_t count) : epoll_{epoll_create1(EPOLL_CLOEXEC)} {
  for (std::size_t i = 0; i < count; ++i) {
    clients_.push_back({.socket = raw_connection(port)});
    expect_connected(clients_.back().socket);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = i;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, clients_.back().socket, &event);
  }
}

honest_clients::~honest_clients() {
  for (const auto& each : clients_) {
    if (each.socket >= 0) reset_connection(each.socket);
  }
  close(epoll_);
}

round_trips honest_clients::talk(std::size_t messages, milliseconds pause) {
  round_trips trips;
  const auto all = messages * clients_.size();
  const auto begin = clock_type::now();
  const auto step = std::chrono::nanoseconds{pause} / static_cast<long>(clients_.size());
  const auto due = [&](std::size_t number) { return begin + step * static_cast<long>(number); };
  std::array<epoll_event, 128> events;
  std::size_t sent = 0;
  auto progress = begin;
  while (trips.answered < all && trips.ended + trips.wrong < clients_.size()) {
    for (; sent < all && due(sent) <= clock_type::now(); ++sent) {
      send_due(clients_[sent % clients_.size()], due(sent));
    }
    const auto until = sent < all ? due(sent) : progress + patience;
    wait_for(epoll_, until - clock_type::now());
    const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 0);
    for (int i = 0; i < count; ++i) {
      receive(clients_[events[static_cast<std::size_t>(i)].data.u64], trips);
    }
    if (count > 0) progress = clock_type::now();
    if (clock_type::now() > progress + patience) break;
  }
  std::ranges::sort(trips.sorted_us);
  return trips;
}

void honest_clients::send_due(client& who, clock_type::time_point due) {
  if (who.socket < 0) return;
  if (who.replies.letters() < who.sent) return who.late.push_back(due);
  const auto bytes = endless_message(who.sent, letters_per_message);
  who.since = clock_type::now();
  const auto size = ::send(who.socket, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (size > 0) who.sent += static_cast<std::size_t>(size);  // the next receive shows an error
}

void honest_clients::receive(client& who, round_trips& trips) {
  std::array<char, 4096> bytes;
  const auto size = recv(who.socket, bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size <= 0) return end(who, trips.ended);
  if (!who.replies.accept({bytes.data(), static_cast<std::size_t>(size)}) ||
      who.replies.letters() > who.sent) {
    return end(who, trips.wrong);
  }
  if (who.replies.letters() < who.sent) return;
  const std::chrono::duration<double, std::micro> took = clock_type::now() - who.since;
  trips.sorted_us.push_back(took.count());
  ++trips.answered;
  if (who.late.empty()) return;
  const auto due = who.late.front();
  who.late.erase(who.late.begin());
  send_due(who, due);
  who.since = due;
}

void honest_clients::end(client& who, std::size_t& count) {
  ++count;
  reset_connection(who.socket);
  who.socket = -1;
}
