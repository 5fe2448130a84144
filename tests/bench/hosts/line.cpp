#include <tests/bench/hosts/line.hpp>

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <iostream>
#include <random>
#include <stdexcept>
#include <system_error>
#include <vector>

namespace {

using line_clock = std::chrono::steady_clock;

// A TAP device in the namespace of the calling thread. It exists as long as its descriptor. The
// kernel completes the checksums and the segments of what it gives, since none is offloaded.
bench::descriptor make_tap(const std::string& name) {
  bench::descriptor tap{open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK)};
  ifreq asked{};
  asked.ifr_flags = IFF_TAP | IFF_NO_PI;
  std::strncpy(asked.ifr_name, name.c_str(), IFNAMSIZ - 1);
  if (!tap || ioctl(tap.get(), TUNSETIFF, &asked) != 0 || ioctl(tap.get(), TUNSETOFFLOAD, 0) != 0)
    throw std::system_error{errno, std::generic_category(), "/dev/net/tun"};
  return tap;
}

// One way of a line: frames that have come and not yet gone.
class lane {
 public:
  lane(int from, int to, std::chrono::nanoseconds delay, const line_delays& delays)
      : from_{from}, to_{to}, delay_{delay}, spread_{delays.spread.count()}, random_{delays.seed} {}

  // Each returns how many frames were lost. A device that is down takes none.
  std::uint64_t take() {
    std::uint64_t lost = 0;
    for (int frames = 0; frames < most_at_once; ++frames) {
      const auto size = read(from_, buffer_.data(), buffer_.size());
      if (size <= 0) break;
      if (waiting_.size() == most_waiting) {
        ++lost;
        continue;
      }
      latest_ = std::max(latest_, line_clock::now() + delay_ + longer());
      waiting_.push_back({latest_, {buffer_.data(), buffer_.data() + size}});
    }
    return lost;
  }
  std::uint64_t give(line_clock::time_point now, std::atomic<std::uint64_t>& carried) {
    std::uint64_t lost = 0;
    for (; !waiting_.empty() && waiting_.front().due <= now; waiting_.pop_front()) {
      const auto& bytes = waiting_.front().bytes;
      if (write(to_, bytes.data(), bytes.size()) > 0)
        ++carried;
      else
        ++lost;
    }
    return lost;
  }

  // When the next frame has to go.
  line_clock::time_point due() const {
    return waiting_.empty() ? line_clock::time_point::max() : waiting_.front().due;
  }

 private:
  struct frame {
    line_clock::time_point due;
    std::vector<char> bytes;
  };
  static constexpr int most_at_once = 64;
  static constexpr std::size_t most_waiting = 8192;

  std::chrono::nanoseconds longer() {
    return std::chrono::nanoseconds{
        std::uniform_int_distribution<std::int64_t>{0, spread_}(random_)};
  }

  int from_;
  int to_;
  std::chrono::nanoseconds delay_;
  std::int64_t spread_;
  std::minstd_rand random_;
  line_clock::time_point latest_{};
  std::deque<frame> waiting_;
  std::array<char, 65536> buffer_;
};

// Waits until one of the descriptors is readable or the time has come.
void wait_for(std::array<pollfd, 3>& watched, line_clock::time_point until) {
  const auto left = std::max(until - line_clock::now(), line_clock::duration::zero());
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(left);
  const timespec time{static_cast<time_t>(whole.count()),
                      static_cast<long>((left - whole) / std::chrono::nanoseconds{1})};
  if (ppoll(watched.data(), watched.size(),
            until == line_clock::time_point::max() ? nullptr : &time, nullptr) <= 0)
    for (auto& each : watched) each.revents = 0;
}

}  // namespace

delayed_line::delayed_line(test_network& network, std::size_t host, line_delays delays)
    : network_{network}, host_{host}, delays_{delays}, stop_{eventfd(0, EFD_CLOEXEC)} {
  network_.unplug(host_);
  try {
    host_end_ = network_.in_host(host_, [] { return make_tap(test_network::host_end); });
    port_ = network_.in_switch([&] { return make_tap(test_network::port(host_)); });
    network_.settle(host_);
  } catch (...) {
    host_end_ = {};
    port_ = {};
    network_.plug(host_);
    throw;
  }
  thread_ = std::thread{[this] { carry(); }};
}

delayed_line::~delayed_line() {
  eventfd_write(stop_.get(), 1);
  thread_.join();
  host_end_ = {};
  port_ = {};
  try {
    network_.plug(host_);
  } catch (const std::exception& error) {
    std::cerr << "delayed_line: " << error.what() << '\n';
  }
}

void delayed_line::carry() {
  prctl(PR_SET_TIMERSLACK, 1);  // nanosecond: a frame goes when it is due
  lane out{host_end_.get(), port_.get(), delays_.from_host, delays_};
  lane in{port_.get(), host_end_.get(), delays_.to_host, delays_};
  std::array<pollfd, 3> watched{
      {{host_end_.get(), POLLIN, 0}, {port_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}}};
  while ((watched[2].revents & POLLIN) == 0) {
    wait_for(watched, std::min(out.due(), in.due()));
    if ((watched[0].revents & POLLIN) != 0) lost_ += out.take();
    if ((watched[1].revents & POLLIN) != 0) lost_ += in.take();
    const auto now = line_clock::now();
    lost_ += out.give(now, carried_);
    lost_ += in.give(now, carried_);
  }
}

const std::string& delayed_line::why_not() {
  static const std::string reason = [] {
    if (!test_network::why_not().empty()) return test_network::why_not();
    try {
      test_network network{1};
      const delayed_line line{network, 0};
      return std::string{};
    } catch (const std::exception& error) {
      return std::string{error.what()};
    }
  }();
  return reason;
}
