#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <bench/load/echo_connection.hpp>
#include <bench/load/event_wait.hpp>
#include <bench/load/generator.hpp>
#include <bench/machine/machine.hpp>
#include <bench/text/failure.hpp>
#include <cerrno>
#include <cstring>
#include <limits>
#include <numeric>
#include <utility>

namespace bench {
namespace {

constexpr std::size_t receive_bytes = std::size_t{64} * 1024;
constexpr std::size_t compose_bytes = std::size_t{64} * 1024;
// After the end of a slice, for replies to what was due in it.
constexpr std::int64_t least_wait_for_late_replies = 500'000'000;
constexpr std::int64_t most_wait_for_late_replies = 2'000'000'000;
// So late is it noticed at most that `stop_` is true: a signal may come between the look at it and
// the wait for events, or wake another thread.
constexpr std::int64_t between_looks = 100'000'000;

}  // namespace

load_generator::load_generator(const scenario& shape, std::uint64_t seed,
                               const std::atomic<bool>& stop)
    : shape_{shape},
      seed_{seed},
      stop_{stop},
      epoll_{epoll_create1(EPOLL_CLOEXEC)},
      received_(receive_bytes),
      composed_(std::max(compose_bytes, static_cast<std::size_t>(shape.message_bytes))),
      random_{static_cast<std::minstd_rand::result_type>(seed | 1)} {
  if (!epoll_) throw run_invalid(fmt::format("cannot create epoll: {}", std::strerror(errno)));
}

load_generator::server_number load_generator::add_server(std::string name, const address& where) {
  if (stop_) throw interrupted{};
  auto talk = begin_conversation(shape_, seed_, name, where, patience_, stop_);
  servers_.push_back(target{std::move(name), where, std::move(talk)});
  return servers_.size() - 1;
}

void load_generator::connect(server_number number, int total) {
  const auto& connecting = servers_.at(number);
  const auto first = connections_.size();
  while (connecting.connections < total) {
    if (stop_) throw interrupted{};
    open_connection(number);
  }
  loaded_ = {number};
  for (auto i = first; i < connections_.size(); ++i) {
    const auto now = now_ns();
    ask(connections_[i], shape_.depth, now, now);
  }
  wait_for_replies();
}

void load_generator::open_connection(server_number target_number) {
  auto& connecting = servers_[target_number];
  auto socket = connect_to(connecting.name, connecting.where, patience_, stop_,
                           source_of(connections_.size()));
  const auto number = static_cast<std::uint32_t>(connections_.size());
  connections_.push_back({.socket = std::move(socket),
                          .server = target_number,
                          .number = number,
                          .place = connecting.connections++});
  watch(connections_.back());
  asked_.resize(connections_.size() * static_cast<std::size_t>(shape_.depth));
  events_.resize(connections_.size());
}

void load_generator::watch(const connection& opened) {
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                    .data = {.u32 = opened.number}};
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, opened.socket.get(), &event) != 0) {
    throw run_invalid(fmt::format("cannot watch a connection: {}", std::strerror(errno)));
  }
}

// Churn: closes the connection from this side, so that the server reads end of stream as from any
// client that is done, and opens it again.
void load_generator::open_again(connection& closing) {
  const auto& server = servers_[closing.server];
  closing.socket = {};
  closing.socket = begin_connecting(server.name, server.where, source_of(closing.number));
  watch(closing);
}

const address* load_generator::source_of(std::size_t number) const {
  return sources_.empty() ? nullptr : &sources_[number % sources_.size()];
}

std::int64_t load_generator::retransmits(server_number number) const {
  std::int64_t sum = 0;
  for (const auto& each : connections_)
    if (each.server == number) sum += each.socket.retransmits();
  return sum;
}

bool load_generator::is_loaded(const connection& each) const {
  return each.place < shape_.connections &&
         std::find(loaded_.begin(), loaded_.end(), each.server) != loaded_.end();
}

void load_generator::start(const std::vector<server_number>& servers) {
  loaded_ = servers;
  sending_ = true;
  for (auto& each : connections_) {
    const auto now = now_ns();
    if (is_loaded(each)) ask(each, shape_.depth, now, now);
  }
}

void load_generator::start_at_rate(const std::vector<server_number>& servers, double per_second) {
  prctl(PR_SET_TIMERSLACK, 1UL);  // the default slack delays timers by up to 50 us
  loaded_ = servers;
  sending_ = true;
  const auto now = now_ns();
  for (auto number : servers) servers_[number].pace.emplace(per_second, now);
  for (int i = 0; i < shape_.depth; ++i) {
    for (const auto& each : connections_) {
      if (is_loaded(each)) servers_[each.server].pace->offer(each.number, now);
    }
  }
}

std::vector<load_sample> load_generator::run(nanoseconds duration) {
  for (auto number : loaded_) {
    servers_[number].sample = {};
    servers_[number].slice_due = 0;
  }
  const auto start = now_ns();
  const auto end = start + duration.count();
  const auto latest =
      end + std::clamp(duration.count(), least_wait_for_late_replies, most_wait_for_late_replies);
  slice_ = {start, end, thread_cpu_ns()};
  next_silence_check_ = start + patience_.count();
  auto next_look = look_ ? start + look_every_.count() : std::numeric_limits<std::int64_t>::max();
  auto now = start;
  for (; now < end || !each_answered() || (now < latest && !slice_answered()); now = now_ns()) {
    if (now >= next_look) {
      next_look += look_every_.count();
      look_();
    }
    send_due();
    process_events(
        until_next_due(nanoseconds{std::clamp<std::int64_t>(end - now, 1'000'000, between_looks)}));
    expect_progress(now);
  }
  return so_far();
}

std::vector<load_sample> load_generator::so_far() const {
  const auto now = now_ns();
  const auto elapsed = static_cast<double>(now - slice_.start);
  const auto used = static_cast<double>(thread_cpu_ns() - slice_.start_cpu);
  std::vector<load_sample> samples;
  for (auto number : loaded_) {
    const auto& server = servers_[number];
    auto& sample = samples.emplace_back(server.sample);
    sample.seconds = elapsed / 1e9;
    sample.client_utilisation = used / std::max(elapsed, 1.0);
    if (const auto& pace = server.pace) {
      sample.due = pace->due_until(now) - pace->due_until(slice_.start);
      sample.unanswered = server.slice_due + pace->unsent_until(std::min(now, slice_.end));
    }
  }
  return samples;
}

std::int64_t load_generator::finish() {
  sending_ = false;
  const auto messages = wait_for_replies();
  for (auto number : loaded_) servers_[number].pace.reset();
  loaded_.clear();
  return messages;
}

std::int64_t load_generator::wait_for_replies() {
  const auto due = [this] {
    return std::accumulate(servers_.begin(), servers_.end(), std::int64_t{0},
                           [](auto sum, const auto& each) { return sum + each.due; });
  };
  for (auto number : loaded_) servers_[number].sample = {};
  const auto messages = due();
  auto progress = now_ns();
  for (auto left = messages; left > 0;) {
    process_events(std::min(patience_, nanoseconds{between_looks}));
    if (const auto now_left = due(); now_left < left) {
      left = now_left;
      progress = now_ns();
    } else if (now_ns() - progress > patience_.count()) {
      for (const auto& each : servers_) {
        if (each.due == 0) continue;
        throw no_answer(fmt::format("{} owes {} replies and stays silent", each.name, each.due));
      }
    }
  }
  return messages;
}

// Open loop: run() also waits for late replies, because those are the tail of the latency. A server
// that cannot keep up always has some, so run() gives up on it after a while.
bool load_generator::slice_answered() const {
  return std::all_of(loaded_.begin(), loaded_.end(), [this](auto number) {
    const auto& each = servers_[number];
    return !each.pace || (each.slice_due == 0 && each.pace->has_taken_all_until(slice_.end));
  });
}

bool load_generator::is_in_slice(const target& server, std::int64_t due_ns) const {
  return !server.pace || (due_ns > slice_.start && due_ns <= slice_.end);
}

bool load_generator::each_answered() const {
  return std::all_of(loaded_.begin(), loaded_.end(),
                     [this](auto number) { return servers_[number].sample.messages > 0; });
}

// Each connection, because an open loop goes on over the others when one falls silent. That takes a
// while with many connections, so it is not done at each event.
void load_generator::expect_progress(std::int64_t now) {
  if (now < next_silence_check_) return;
  next_silence_check_ = now + patience_.count() / 10;
  for (const auto& each : connections_) {
    if (each.replies.sequence == each.asked) continue;
    const auto& oldest = sent_as(each, each.replies.sequence);
    if (now - std::max(slice_.start, oldest.sent_ns) > patience_.count())
      throw no_answer(fmt::format("{} stopped answering on connection {}",
                                  servers_[each.server].name, each.number));
  }
}

std::int64_t load_generator::overdue(server_number number, nanoseconds age) const {
  const auto latest = std::min(now_ns() - age.count(), slice_.end);
  std::int64_t count = 0;
  for (const auto& each : connections_) {
    if (each.server != number) continue;
    for (auto i = each.replies.sequence; i < each.asked && sent_as(each, i).due_ns < latest; ++i)
      ++count;
  }
  const auto& pace = servers_[number].pace;
  return count + (pace ? pace->unsent_until(latest) : 0);
}

// Handles one batch of events, server by server. A random number decides which server comes first:
// a fixed rotation could fall into step with the kernel's scheduling of the servers on their CPU.
void load_generator::process_events(nanoseconds longest_wait) {
  if (stop_) throw interrupted{};
  const int count = wait_for_events(epoll_.get(), events_, longest_wait);
  if (loaded_.empty() || count <= 0) return;
  const auto servers = loaded_.size();
  const auto first = servers > 1 ? random_() % servers : 0;
  for (std::size_t turn = 0; turn < servers; ++turn) {
    const auto server = loaded_[(first + turn) % servers];
    for (int i = 0; i < count; ++i) {
      const auto& event = events_[static_cast<std::size_t>(i)];
      auto& ready = connections_[event.data.u32];
      if (ready.server == server) process(ready, event.events);
    }
  }
}

void load_generator::process(connection& ready, std::uint32_t events) {
  // Under TLS a message may wait for bytes to come, of a handshake.
  const bool may_send = (events & EPOLLOUT) != 0 || ready.socket.is_secure();
  if (may_send && ready.sent < ready.asked) flush(ready);
  const bool ending = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
  if (ending || (events & EPOLLIN) != 0) receive(ready, ending);
}

// A recv that did not fill the buffer has emptied the socket, so another recv would only cost a
// system call. If the server has closed its side, one more recv reports the end of stream. Under
// TLS a record may be left. With churn an answered message has closed the connection.
void load_generator::receive(connection& receiving, bool to_the_end) {
  auto& from = servers_[receiving.server];
  for (;;) {
    const auto count = receiving.socket.receive(received_);
    if (count < 0 && errno == EAGAIN) return;
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      throw connection_lost(fmt::format("{} closed connection {}: {}", from.name, receiving.number,
                                        count == 0 ? "end of stream" : std::strerror(errno)));
    }
    const auto length = static_cast<std::size_t>(count);
    int messages = 0;
    try {
      messages = from.talk->check(receiving.replies, receiving.number, {received_.data(), length});
    } catch (const wrong_reply& error) {
      throw wrong_reply(fmt::format("{}: {}", from.name, error.what()));
    }
    if (receiving.replies.sequence > receiving.sent) {
      throw wrong_reply(fmt::format("{}: more replies than messages on connection {}", from.name,
                                    receiving.number));
    }
    if (messages > 0) account(receiving, messages);
    if (shape_.churn && messages > 0) return;
    if (length < received_.size() && !to_the_end && !receiving.socket.is_secure()) return;
  }
}

const load_generator::outstanding& load_generator::sent_as(const connection& by,
                                                           std::uint64_t sequence) const {
  const auto depth = static_cast<std::uint64_t>(shape_.depth);
  return asked_[by.number * depth + sequence % depth];
}

void load_generator::account(connection& receiving, int messages) {
  auto& from = servers_[receiving.server];
  const auto now = now_ns();
  auto sequence = receiving.replies.sequence - static_cast<std::uint64_t>(messages);
  for (; sequence < receiving.replies.sequence; ++sequence) {
    const auto& [due, sent] = sent_as(receiving, sequence);
    if (!is_in_slice(from, due)) continue;
    if (from.pace) --from.slice_due;
    from.sample.latency_ns.record(static_cast<std::uint64_t>(now - due));
    if (from.pace) from.sample.service_ns.record(static_cast<std::uint64_t>(now - sent));
  }
  from.sample.messages += messages;
  from.replies += messages;
  from.due -= messages;
  if (sending_) go_on(receiving, messages, now);
}

void load_generator::go_on(connection& answered, int messages, std::int64_t now) {
  if (auto& pace = servers_[answered.server].pace) {
    for (int i = 0; i < messages; ++i) pace->offer(answered.number, now);
    return;
  }
  if (shape_.churn) open_again(answered);
  ask(answered, messages, now, now);
}

void load_generator::send_due() {
  for (auto number : loaded_) {
    auto& server = servers_[number];
    if (!server.pace) continue;
    for (auto now = now_ns(); const auto next = server.pace->take(now); now = now_ns()) {
      if (is_in_slice(server, next->due_ns)) {
        server.sample.late_ns.record(static_cast<std::uint64_t>(next->late_ns));
        ++server.slice_due;
      }
      ask(connections_[next->connection], 1, now, next->due_ns);
    }
  }
}

std::chrono::nanoseconds load_generator::until_next_due(nanoseconds longest_wait) const {
  for (auto number : loaded_) {
    const auto& pace = servers_[number].pace;
    const auto next = pace ? pace->next_ns() : std::nullopt;
    if (next) longest_wait = std::min(longest_wait, nanoseconds{*next - now_ns()});
  }
  return longest_wait;
}

void load_generator::ask(connection& asking, int messages, std::int64_t now, std::int64_t due) {
  const auto depth = static_cast<std::uint64_t>(shape_.depth);
  for (int i = 0; i < messages; ++i) {
    asked_[asking.number * depth + asking.asked++ % depth] = {.due_ns = due, .sent_ns = now};
  }
  servers_[asking.server].due += messages;
  flush(asking);
}

// Sends as much as the socket takes. The rest follows at the next EPOLLOUT.
void load_generator::flush(connection& sending) {
  const auto message_bytes = static_cast<std::size_t>(shape_.message_bytes);
  while (sending.sent < sending.asked) {
    const auto bytes = compose(sending);
    const auto count = sending.socket.send(bytes);
    if (count < 0 && errno == EAGAIN) return;
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      throw connection_lost(fmt::format("{} closed connection {}: {}",
                                        servers_[sending.server].name, sending.number,
                                        count == 0 ? "end of stream" : std::strerror(errno)));
    }
    sending.sent_bytes += static_cast<std::size_t>(count);
    sending.sent += sending.sent_bytes / message_bytes;
    sending.sent_bytes %= message_bytes;
  }
}

// Composes the next bytes to send. A message is composed anew whenever it is needed, so a thousand
// connections need no buffers of their own.
std::string_view load_generator::compose(const connection& sending) {
  const auto& talk = *servers_[sending.server].talk;
  return talk.write_all(composed_, sending.number, sending.sent, sending.asked - sending.sent)
      .substr(sending.sent_bytes);
}

}  // namespace bench
