// loop: floor_loop, a server whose every step is a system call. It echoes, or asks a service.
//
//     floor_loop<epoll_waiter> loop{options, listener, drain_signal, nullptr};
//     loop.run();   // returns when all connections have been drained
//
// The CPU per message of a library is compared with that of this loop. One message costs one recv,
// one send and a share of one epoll_wait or select. The timers use one timerfd, so waiting needs no
// timeout. All connections share one buffer, which stays in the cache; only a reply that did not
// fit into the socket is copied. In the buffer, the prefix stands before the received bytes.
#pragma once

#include <bench/contract/acknowledgements.hpp>
#include <bench/contract/contract.hpp>

#include <bench/floor/alarm.hpp>
#include <bench/floor/service.hpp>
#include <bench/floor/waiter.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bench {

template <typename Waiter>
class floor_loop {
 public:
  // `service` outlives the loop; nullptr: it echoes.
  floor_loop(const server_options& options, int listener, int drain_signal, floor_service* service);
  floor_loop(const floor_loop&) = delete;
  floor_loop& operator=(const floor_loop&) = delete;

  void run();

 private:
  using clock = floor_alarm::clock;
  static constexpr auto never = floor_alarm::never;

  struct connection {
    bool open = false;
    bool readable = false;  // edge-triggered only: the socket may hold unread bytes
    bool hung_up = false;
    bool moved = false;               // a byte was received or sent since look_for_idle() last ran
    clock::time_point still_since{};  // since when nothing moved; valid while moved is false
    // The part of a reply that did not fit into the socket. While it is not empty, nothing is read.
    std::string unsent;
    bool last = false;  // once it is sent, the connection is closed
    acknowledgements owed;
  };

  bool saw_something_while_spinning();
  void ready(int fd, readiness now);
  void accept_one();
  void pause_accepting(clock::time_point until);
  void resume_accepting();
  void serve(int fd, readiness now);
  void answer_once(int fd, connection& peer);
  std::string_view reply_to(int fd, connection& peer, std::size_t received);
  void put_aside(int fd, connection& peer, std::string_view rest);
  bool send_unsent(int fd, connection& peer);
  void hang_up(int fd, connection& peer);
  void start_draining();
  void on_alarm();
  void look_for_idle(clock::time_point now);
  void hang_up_all();
  void set_alarm();

  const server_options& options_;
  floor_service* const service_;
  const std::size_t most_connections_;
  int listener_;  // -1 once draining
  const int drain_signal_;
  floor_alarm alarm_;
  Waiter waiter_;
  std::vector<connection> peers_;  // index: descriptor
  std::size_t connections_ = 0;
  // Edge-triggered only: connections whose recv filled the buffer, to be read in the next turn.
  std::vector<int> unfinished_;
  std::string buffer_;
  bool accepting_ = true;
  clock::time_point accept_again_ = never;  // when to accept again after resources ran out
  clock::time_point next_look_ = never;     // when to look for idle connections
  clock::time_point drained_by_ = never;
};

template <typename Waiter>
floor_loop<Waiter>::floor_loop(const server_options& options, int listener, int drain_signal,
                               floor_service* service)
    : options_{options},
      service_{service},
      most_connections_{connections_per_thread(options)},
      listener_{listener},
      drain_signal_{drain_signal},
      waiter_{options},
      buffer_{options.prefix + std::string(options.buffer, '\0')} {
  waiter_.watch(listener_);
  waiter_.watch(drain_signal_);
  waiter_.watch(alarm_.descriptor());
}

template <typename Waiter>
void floor_loop<Waiter>::run() {
  std::vector<int> unfinished;
  while (listener_ >= 0 || connections_ > 0) {
    std::swap(unfinished, unfinished_);
    if (!unfinished.empty() || !saw_something_while_spinning()) waiter_.wait(unfinished.empty());
    waiter_.each([this](int fd, readiness now) { ready(fd, now); });
    for (const int fd : unfinished) serve(fd, {});
    unfinished.clear();
  }
}

// Polls without sleeping for options_.spin, because going to sleep and waking up takes longer than
// a message. True if a descriptor became ready.
template <typename Waiter>
bool floor_loop<Waiter>::saw_something_while_spinning() {
  if (options_.spin.count() == 0) return false;
  const auto until = clock::now() + options_.spin;
  do {
    if (waiter_.wait(false)) return true;
  } while (clock::now() < until);
  return false;
}

template <typename Waiter>
void floor_loop<Waiter>::ready(int fd, readiness now) {
  if (fd == listener_) {
    accept_one();
  } else if (fd == alarm_.descriptor()) {
    on_alarm();
  } else if (fd == drain_signal_) {
    start_draining();
  } else {
    serve(fd, now);
  }
}

// Accepts one connection per turn: a second accept4 would mostly return EAGAIN.
template <typename Waiter>
void floor_loop<Waiter>::accept_one() {
  if (!accepting_) return;
  sockaddr_storage from{};
  socklen_t length = sizeof from;
  const int fd = accept4(listener_, options_.quiet ? nullptr : reinterpret_cast<sockaddr*>(&from),
                         options_.quiet ? nullptr : &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) {
    const bool out_of_something =
        errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
    if (out_of_something) pause_accepting(clock::now() + std::chrono::milliseconds{10});
    return;
  }
  const auto index = static_cast<std::size_t>(fd);
  if (peers_.size() <= index) peers_.resize(index + 1);
  peers_[index].open = true;
  peers_[index].moved = true;
  waiter_.connected(fd);
  if (!options_.quiet) say_connection_from(from);
  if (++connections_ == most_connections_) pause_accepting(never);
  if (next_look_ == never && options_.idle_timeout.count() > 0) {
    next_look_ = clock::now() + options_.idle_timeout / 16;
    set_alarm();
  }
}

// Stops watching the listener. Otherwise a listener that is readable but cannot be served would end
// every wait at once.
template <typename Waiter>
void floor_loop<Waiter>::pause_accepting(clock::time_point until) {
  accepting_ = false;
  accept_again_ = until;
  waiter_.unwatch(listener_);
  set_alarm();
}

template <typename Waiter>
void floor_loop<Waiter>::resume_accepting() {
  accept_again_ = never;
  if (accepting_ || listener_ < 0) return;
  accepting_ = true;
  waiter_.watch(listener_);
}

template <typename Waiter>
void floor_loop<Waiter>::serve(int fd, readiness now) {
  const auto index = static_cast<std::size_t>(fd);
  if (index >= peers_.size() || !peers_[index].open) return;
  auto& peer = peers_[index];
  peer.readable |= now.readable;
  peer.hung_up |= now.hung_up;
  if (!peer.unsent.empty() && !(now.writable && send_unsent(fd, peer))) return;
  if (peer.readable) answer_once(fd, peer);
}

template <typename Waiter>
void floor_loop<Waiter>::answer_once(int fd, connection& peer) {
  const auto room = buffer_.data() + options_.prefix.size();
  const auto received = recv(fd, room, options_.buffer, 0);
  // A recv that returned less than was asked has emptied the socket, and the next bytes cause a new
  // edge. After a hang-up there is no further edge, so the loop reads on until the end.
  peer.readable = Waiter::edge_triggered && received > 0 &&
                  (received == static_cast<ssize_t>(options_.buffer) || peer.hung_up);
  if (received <= 0) {
    if (received == 0 || (errno != EAGAIN && errno != EINTR)) hang_up(fd, peer);
    return;
  }
  peer.moved = true;
  if (service_ == nullptr && options_.inject_ns.count() > 0) spend_cpu(options_.inject_ns);
  auto reply = reply_to(fd, peer, static_cast<std::size_t>(received));
  const auto sent = reply.empty() ? 0 : send(fd, reply.data(), reply.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(reply.size())) {
    if (sent < 0 && errno != EAGAIN) return hang_up(fd, peer);
    reply.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(sent, 0)));
    return put_aside(fd, peer, reply);
  }
  if (peer.last) return hang_up(fd, peer);
  if (peer.readable) unfinished_.push_back(fd);
}

template <typename Waiter>
std::string_view floor_loop<Waiter>::reply_to(int fd, connection& peer, std::size_t received) {
  if (service_ != nullptr) {
    const auto answer = service_->answer(fd, {buffer_.data(), received});
    peer.last = answer.last;
    return answer.bytes;
  }
  if (options_.ack > 0) return peer.owed.for_received(received, options_);
  return std::string_view{buffer_.data(), options_.prefix.size() + received};
}

// Keeps the rest of a reply until the socket is writable. If there is no memory for it, closes the
// connection: the client must not see a torn reply.
template <typename Waiter>
void floor_loop<Waiter>::put_aside(int fd, connection& peer, std::string_view rest) try {
  peer.unsent = rest;
  waiter_.expect_writable(fd);
} catch (const std::bad_alloc&) {
  hang_up(fd, peer);
}

// True when nothing is left to send.
template <typename Waiter>
bool floor_loop<Waiter>::send_unsent(int fd, connection& peer) {
  const auto sent = send(fd, peer.unsent.data(), peer.unsent.size(), MSG_NOSIGNAL);
  if (sent < 0) {
    if (errno != EAGAIN) hang_up(fd, peer);
    return false;
  }
  peer.moved = true;
  peer.unsent.erase(0, static_cast<std::size_t>(sent));
  if (!peer.unsent.empty()) return false;
  if (peer.last) {
    hang_up(fd, peer);
    return false;
  }
  peer.unsent.shrink_to_fit();
  waiter_.expect_readable(fd);
  return true;
}

template <typename Waiter>
void floor_loop<Waiter>::hang_up(int fd, connection& peer) {
  waiter_.closing(fd);
  if (service_ != nullptr) service_->forget(fd);
  close(fd);
  peer = {};
  --connections_;
  resume_accepting();
  if (!options_.quiet) {
    say_connection_closed();
    say_task_done();
  }
}

// After SHUT_RD, recv still returns the bytes received so far, so they are answered; then it
// returns 0.
template <typename Waiter>
void floor_loop<Waiter>::start_draining() {
  begin_drain(options_);
  waiter_.unwatch(drain_signal_);
  if (accepting_) waiter_.unwatch(listener_);
  close(std::exchange(listener_, -1));
  for (std::size_t fd = 0; fd < peers_.size(); ++fd) {
    if (peers_[fd].open) shutdown(static_cast<int>(fd), SHUT_RD);
  }
  drained_by_ = clock::now() + options_.drain;
  set_alarm();
}

template <typename Waiter>
void floor_loop<Waiter>::on_alarm() {
  if (!alarm_.rang()) return;
  const auto now = clock::now();
  if (now >= accept_again_) resume_accepting();
  if (now >= next_look_) look_for_idle(now);
  if (now >= drained_by_) hang_up_all();
  set_alarm();
}

// Closes idle connections. It runs once per sixteenth of the idle timeout, since reading the clock
// on each message would use more CPU. So a connection is closed at most an eighth of the timeout
// too late.
template <typename Waiter>
void floor_loop<Waiter>::look_for_idle(clock::time_point now) {
  for (std::size_t fd = 0; fd < peers_.size(); ++fd) {
    auto& peer = peers_[fd];
    if (!peer.open) continue;
    if (std::exchange(peer.moved, false)) peer.still_since = now;
    if (now - peer.still_since >= options_.idle_timeout) hang_up(static_cast<int>(fd), peer);
  }
  next_look_ = connections_ == 0 ? never : now + options_.idle_timeout / 16;
}

template <typename Waiter>
void floor_loop<Waiter>::hang_up_all() {
  for (std::size_t fd = 0; fd < peers_.size(); ++fd) {
    if (peers_[fd].open) hang_up(static_cast<int>(fd), peers_[fd]);
  }
}

template <typename Waiter>
void floor_loop<Waiter>::set_alarm() {
  alarm_.set(std::min({accept_again_, next_look_, drained_by_}));
}

}  // namespace bench
