#include <bench/hosts/mpi/transport.hpp>

#include <boost/mpi/collectives.hpp>
#include <boost/serialization/string.hpp>
#include <functional>
#include <optional>
#include <thread>
#include <utility>

namespace bench {
namespace {

namespace mpi = boost::mpi;
using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

constexpr int wake_tag = 1;
constexpr int text_tag = 2;
constexpr int sign_tag = 3;
constexpr int end_tag = 4;

// A process that waits looks again and again for so long, then sleeps between its looks.
constexpr auto awake = 1ms;
constexpr auto nap = 500us;

class patient_wait {
 public:
  void again() const {
    if (clock::now() - begun_ < awake)
      std::this_thread::yield();
    else
      std::this_thread::sleep_for(nap);
  }

 private:
  clock::time_point begun_ = clock::now();
};

}  // namespace

void mpi_transport::barrier() {
  world_.barrier();
}

// An end that was asked for is of the order before.
void mpi_transport::forget_ends() {
  ended_ = false;
  for (int from = 0; from < size(); ++from)
    while (from != rank() && world_.iprobe(from, end_tag)) world_.recv(from, end_tag);
}

std::string mpi_transport::broadcast(const std::string& text) {
  if (rank() == 0) {
    forget_ends();
    for (int to = 1; to < size(); ++to) world_.send(to, wake_tag);
  } else {
    for (const patient_wait wait; !world_.iprobe(0, wake_tag);) wait.again();
    world_.recv(0, wake_tag);
    forget_ends();
  }
  auto all = text;
  mpi::broadcast(world_, all, 0);
  return all;
}

std::vector<std::uint64_t> mpi_transport::reduce(const std::vector<std::uint64_t>& counters) {
  const auto count = static_cast<int>(counters.size());
  if (count == 0) return {};
  if (rank() != 0) {
    mpi::reduce(world_, counters.data(), count, std::plus<std::uint64_t>{}, 0);
    return {};
  }
  std::vector<std::uint64_t> sums(counters.size());
  mpi::reduce(world_, counters.data(), count, sums.data(), std::plus<std::uint64_t>{}, 0);
  return sums;
}

bool mpi_transport::take_signs(int from) {
  bool any = false;
  for (; world_.iprobe(from, sign_tag); any = true) world_.recv(from, sign_tag);
  return any;
}

void mpi_transport::pass_on_an_end(int from) {
  if (!world_.iprobe(from, end_tag)) return;
  world_.recv(from, end_tag);
  if (std::exchange(ended_, true)) return;
  for (int to = 1; to < size(); ++to) world_.send(to, end_tag);
}

std::vector<std::string> mpi_transport::gather(const std::string& text,
                                               std::chrono::milliseconds patience) {
  if (rank() != 0) {
    world_.send(0, text_tag, text);
    return {};
  }
  std::vector<std::optional<std::string>> texts(static_cast<std::size_t>(size()));
  texts[0] = text;
  std::vector<clock::time_point> last_sign(texts.size(), clock::now());
  for (const patient_wait wait;; wait.again()) {
    std::vector<int> missing, silent;
    for (int from = 1; from < size(); ++from) {
      pass_on_an_end(from);
      auto& each = texts[static_cast<std::size_t>(from)];
      if (each) continue;
      auto& heard = last_sign[static_cast<std::size_t>(from)];
      if (world_.iprobe(from, text_tag)) {
        world_.recv(from, text_tag, each.emplace());
        continue;
      }
      if (take_signs(from)) heard = clock::now();
      missing.push_back(from);
      if (clock::now() - heard > patience) silent.push_back(from);
    }
    if (!silent.empty()) throw ranks_silent{silent};
    if (missing.empty()) break;
  }
  std::vector<std::string> all;
  for (auto& each : texts) all.push_back(std::move(*each));
  return all;
}

bool mpi_transport::alive() {
  if (rank() == 0) return true;
  world_.send(0, sign_tag);
  return !world_.iprobe(0, end_tag);
}

void mpi_transport::end_for_all() {
  if (rank() != 0) world_.send(0, end_tag);
}

}  // namespace bench
