#include <tests/bench/contract/hostile_crowd.hpp>

#include <sched.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <exception>
#include <utility>

#include <tests/bench/contract/raw_connection.hpp>

namespace {

constexpr std::size_t most_per_turn = 200;  // connects, or acts by the clock

bool reads_little(hostility kind) {
  return kind == hostility::never_reading || kind == hostility::slow_reading;
}

// Level-triggered: a flooding peer has its turn again and again.
std::uint32_t events_for(hostility kind) {
  const std::uint32_t both = EPOLLIN | EPOLLOUT | EPOLLRDHUP;
  return kind == hostility::flooding ? both : both | EPOLLET;
}

}  // namespace

hostile_crowd::hostile_crowd(int port, crowd_plan plan)
    : port_{port}, plan_{plan}, epoll_{epoll_create1(EPOLL_CLOEXEC)}, thread_{[this] { run(); }} {}

hostile_crowd::~hostile_crowd() {
  done_ = true;
  thread_.join();
  for (const auto& each : peers_) {
    if (each.socket >= 0) reset_connection(each.socket);
  }
  close(epoll_);
}

void hostile_crowd::run() {
  // A higher nice value would not do: the kernel lets a thread finish its time slice of some 3 ms.
  const sched_param none{};
  const bool at_normal_priority = sched_getscheduler(0) == SCHED_OTHER;
  if (plan_.gives_way) {  // this thread only
    sched_setscheduler(0, at_normal_priority ? SCHED_IDLE : SCHED_OTHER, &none);
  }
  if (plan_.kind != hostility::resetting) peers_.reserve(plan_.peers);
  std::array<epoll_event, 256> events;
  for (auto last = begin_; !done_;) {
    const auto now = std::chrono::steady_clock::now();
    const std::chrono::duration<double, std::micro> pause = now - std::exchange(last, now);
    longest_pause_us_ = std::max(longest_pause_us_.load(), pause.count());
    connect_some();
    const int count = epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 1);
    for (int i = 0; i < count; ++i) {
      const auto& event = events[static_cast<std::size_t>(i)];
      ready(peers_[event.data.u64], event.events);
    }
    act_by_the_clock();
  }
}

// Where ports or descriptors have run out, `connected` shows it.
void hostile_crowd::connect_some() try {
  if (plan_.kind == hostility::resetting) return;
  for (std::size_t i = 0; i < most_per_turn && peers_.size() < plan_.peers; ++i) {
    const auto number = peers_.size();
    const int socket = raw_connection(port_, number, reads_little(plan_.kind) ? 4096 : 0);
    peers_.push_back({.socket = socket});
    epoll_event event{};
    event.events = events_for(plan_.kind);
    event.data.u64 = number;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event);
  }
} catch (const std::exception&) {
}

void hostile_crowd::ready(peer& who, std::uint32_t events) {
  if (who.socket < 0) return;
  if ((events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP)) != 0) return end(who);
  if (!who.connected) {
    who.connected = true;
    ++connected_;
  }
  switch (plan_.kind) {
    case hostility::never_reading:
    case hostility::slow_reading:
      while (write_some(who, 16'384)) {
      }
      break;
    case hostility::slow_writing:
      while (read_some(who, most_at_once)) {
      }
      break;
    case hostility::flooding:
      if ((events & EPOLLOUT) != 0) write_some(who, most_at_once);
      if ((events & EPOLLIN) != 0) read_some(who, most_at_once);
      break;
    case hostility::silent:
    case hostility::resetting:
      break;
  }
}

// The peers have their turns in a circle, `per_second` of them.
void hostile_crowd::act_by_the_clock() {
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin_;
  const auto due = static_cast<std::size_t>(passed.count() * plan_.per_second);
  if (due > acts_ + most_per_turn) acts_ = due - most_per_turn;  // too late: left out
  for (; acts_ < due; ++acts_) {
    if (plan_.kind == hostility::resetting) {
      connect_and_reset();
    } else if (!peers_.empty()) {
      auto& who = peers_[acts_ % peers_.size()];
      if (!who.connected || who.socket < 0) continue;
      if (plan_.kind == hostility::slow_writing) write_some(who, 1);
      if (plan_.kind == hostility::slow_reading) read_some(who, 1);
    }
  }
}

void hostile_crowd::connect_and_reset() try {
  const int socket = raw_connection(port_, connected_);
  peer who{.socket = socket};
  if (connected_++ % 2 == 0) write_some(who, 5);
  if (who.socket >= 0) reset_connection(socket);
} catch (const std::exception&) {
}

// False: nothing more can be written now.
bool hostile_crowd::write_some(peer& who, std::size_t most) {
  const auto bytes = endless_message(who.written, most);
  const auto size = ::send(who.socket, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (size < 0 && errno != EAGAIN && errno != EINTR) end(who);
  if (size <= 0) return false;
  who.written += static_cast<std::size_t>(size);
  bytes_ += static_cast<std::size_t>(size);
  return true;
}

// False: nothing more can be read now.
bool hostile_crowd::read_some(peer& who, std::size_t most) {
  std::array<char, most_at_once> bytes;
  const auto size = recv(who.socket, bytes.data(), most, MSG_DONTWAIT);
  if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR)) end(who);
  if (size <= 0) return false;
  if (!std::exchange(who.answered, true)) ++answered_;
  if (!who.replies.accept({bytes.data(), static_cast<std::size_t>(size)}) ||
      who.replies.letters() > who.written) {
    ++wrong_;
    end(who);
    return false;
  }
  return true;
}

void hostile_crowd::end(peer& who) {
  ++ended_;
  reset_connection(who.socket);
  who.socket = -1;
}
