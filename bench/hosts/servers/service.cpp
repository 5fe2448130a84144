#include <bench/hosts/servers/service.hpp>

#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <bench/contract/descriptor.hpp>
#include <bench/hosts/ranks/description.hpp>
#include <bench/machine/kernel_counts.hpp>
#include <bench/server/process.hpp>
#include <bench/text/failure.hpp>
#include <cerrno>
#include <chrono>
#include <map>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

namespace bench {
namespace {

// The lines of echobench and those to it. While an order is carried out, a thread sends signs of
// life and looks whether echobench is still there.
class conversation_with_echobench {
 public:
  conversation_with_echobench(int in, int out)
      : in_{in}, out_{out}, signs_{[this](const std::stop_token& end) { give_signs(end); }} {}

  // nullopt: echobench is gone.
  std::optional<std::string> next_line() {
    for (;;) {
      if (const auto end = unread_.find('\n'); end != std::string::npos) {
        auto line = unread_.substr(0, end);
        unread_.erase(0, end + 1);
        return line;
      }
      char bytes[4096];
      const auto count = read(in_, bytes, sizeof bytes);
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0) return std::nullopt;
      unread_.append(bytes, static_cast<std::size_t>(count));
    }
  }

  void say(const std::string& line) {
    const std::lock_guard lock{writing_};
    for (std::string_view left = line; !left.empty() && !gone_;) {
      const auto count = write(out_, left.data(), left.size());
      if (count < 0 && errno == EINTR) continue;
      if (count <= 0)
        gone_ = true;
      else
        left.remove_prefix(static_cast<std::size_t>(count));
    }
  }

  void set_busy(bool busy) { busy_ = busy; }
  const std::atomic<bool>& gone() const { return gone_; }

 private:
  void give_signs(const std::stop_token& end) {
    constexpr std::chrono::milliseconds between_looks_at_it{50};
    auto due = std::chrono::steady_clock::now() + between_signs_of_life;
    while (!end.stop_requested() && !gone_) {
      pollfd watched{.fd = in_, .events = POLLRDHUP, .revents = 0};
      if (poll(&watched, 1, static_cast<int>(between_looks_at_it.count())) > 0) gone_ = true;
      if (std::chrono::steady_clock::now() < due) continue;
      if (busy_) say("\n");
      due += between_signs_of_life;
    }
  }

  int in_;
  int out_;
  std::string unread_;
  std::mutex writing_;
  std::atomic<bool> busy_ = false;
  std::atomic<bool> gone_ = false;
  std::jthread signs_;  // the last member: it uses the others
};

class servers_of_this_host {
 public:
  explicit servers_of_this_host(const std::atomic<bool>& gone) : gone_{gone} {}

  server_answer carry_out(const server_order& order) try {
    switch (order.wish) {
      case server_wish::start:
        return start(order);
      case server_wish::read_processor:
        return {.processor = processor_times::read(order.cpu)};
      case server_wish::stop:
        servers_.erase(order.server);
        return {};
      default:
        return ask(servers_.at(order.server), order.wish);
    }
  } catch (const std::exception& error) {
    return {.fault = fault_of(error)};
  }

 private:
  server_answer start(const server_order& order) {
    const auto& server =
        servers_
            .try_emplace(order.server, order.info.value(),
                         launch_options{.cpu = order.cpu, .stop = &gone_, .for_other_hosts = true})
            .first->second;
    return {.started = started_server{server.announced(), port_of(server.where()),
                                      server.listens_itself()}};
  }

  static server_answer ask(server_process& server, server_wish wish) {
    switch (wish) {
      case server_wish::count_family:
        server.discard_old_output();
        return {.yes = server.count_family()};
      case server_wish::cpu_ns:
        return {.number = server.cpu_ns()};
      case server_wish::pss_kib:
        return {.number = server.pss_kib()};
      case server_wish::begin_counting:
        server.begin_counting();
        return {};
      case server_wish::counted:
        return {.calls = server.counted()};
      case server_wish::expect_foreground:
        server.expect_foreground();
        return {};
      case server_wish::obituary:
        return {.text = server.obituary()};
      default:
        server.request_stop();
        return {};
    }
  }

  const std::atomic<bool>& gone_;
  std::map<int, server_process> servers_;
};

}  // namespace

servers_hello introduce_this_host() {
  const auto cpus = allowed_cpus();
  const auto pins = choose_pins(cpus);
  servers_hello hello{.build = build_of_this_program(),
                      .pid = getpid(),
                      .machine = describe_machine(),
                      .calls_not_counted = kernel_counts{{getpid()}}.reason()};
  hello.machine.server_cpu = pins ? pins->server_cpu : cpus.front();
  return hello;
}

void take_orders(int in, int out) {
  conversation_with_echobench with{in, out};
  servers_of_this_host servers{with.gone()};
  with.say(to_text(server_answer{.hello = introduce_this_host()}) + "\n");
  while (const auto line = with.next_line()) {
    with.set_busy(true);
    std::optional<server_answer> said;
    try {
      said = servers.carry_out(server_order_of(*line));
    } catch (const interrupted&) {  // echobench went away while a server started
      return;
    }
    with.set_busy(false);
    with.say(to_text(*said) + "\n");
  }
}

}  // namespace bench
