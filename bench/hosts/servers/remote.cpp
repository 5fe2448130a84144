#include <bench/hosts/servers/remote.hpp>

#include <fmt/format.h>

#include <bench/text/failure.hpp>
#include <utility>

namespace bench {
namespace {

using namespace std::chrono_literals;

// Asked where a client has just waited for a server in vain, so that both together take less than
// 10 s.
constexpr auto silence_of_obituary = 2500ms;
// On which hardly any host listens.
constexpr std::uint16_t discard_port = 9;

class remote_server final : public running_server {
 public:
  remote_server(servers_connection& there, const std::string& reached_at, const server_info& server,
                std::optional<int> cpu, int number)
      : there_{there}, name_{server.name}, number_{number} {
    auto said = ask({.wish = server_wish::start, .info = server, .cpu = cpu}).started.value();
    if (said.port == 0) {
      try_to({.wish = server_wish::stop});
      throw usage_error(
          fmt::format("{}: other hosts cannot reach the Unix socket on which it listens", name_));
    }
    where_ = address::resolve(reached_at, static_cast<std::uint16_t>(said.port));
    announced_ = std::move(said.announced);
    listens_itself_ = said.listens_itself;
  }
  ~remote_server() override { try_to({.wish = server_wish::stop}); }

  const std::string& name() const override { return name_; }
  const address& where() const override { return where_; }
  const std::map<std::string, std::string>& announced() const override { return announced_; }
  bool listens_itself() const override { return listens_itself_; }

  bool count_family() override { return ask({.wish = server_wish::count_family}).yes.value(); }
  double cpu_ns() const override { return ask({.wish = server_wish::cpu_ns}).number.value(); }
  std::optional<double> pss_kib() const override {
    return ask({.wish = server_wish::pss_kib}).number;
  }
  void begin_counting() override { ask({.wish = server_wish::begin_counting}); }
  call_counts counted() const override { return ask({.wish = server_wish::counted}).calls.value(); }
  // The other host does it by itself, whenever it counts the family.
  void discard_old_output() const override {}
  void expect_foreground() override { ask({.wish = server_wish::expect_foreground}); }
  std::optional<std::string> obituary() override {
    auto said = ask({.wish = server_wish::obituary}, silence_of_obituary).text;
    if (said) *said = fmt::format("on {}: {}", there_.host(), *said);
    return said;
  }
  void request_stop() override { try_to({.wish = server_wish::request_stop}); }

 private:
  server_answer ask(server_order order,
                    std::chrono::milliseconds silence = servers_connection::longest_silence) const {
    order.server = number_;
    return there_.ask(order, silence);
  }
  // A connection that has failed says so at the next question.
  void try_to(const server_order& order) noexcept {
    try {
      ask(order);
    } catch (...) {
    }
  }

  servers_connection& there_;
  std::string name_;
  int number_;
  address where_;
  std::map<std::string, std::string> announced_;
  bool listens_itself_ = true;
};

}  // namespace

remote_servers::remote_servers(const std::string& host, std::string address, const launcher& shell,
                               const std::atomic<bool>& stop)
    : connection_{host, shell, stop}, address_{std::move(address)} {}

std::unique_ptr<running_server> remote_servers::start(const server_info& server,
                                                      std::optional<int> cpu,
                                                      const std::atomic<bool>&) {
  return std::make_unique<remote_server>(connection_, address_, server, cpu, started_++);
}

processor_times remote_servers::read_processor(std::optional<int> cpu) {
  return connection_.ask({.wish = server_wish::read_processor, .cpu = cpu}).processor.value();
}

std::optional<std::string> remote_servers::why_out_of_reach(const running_server& server) const {
  // A server whose queue is full is silent too, but its kernel refuses at another port.
  const auto other_port = address::resolve_all(address_, discard_port).front();
  if (!server.where().stays_silent() || !other_port.stays_silent()) return std::nullopt;
  return fmt::format("{}: {} runs there, but nothing comes back from {}", connection_.host(),
                     server.name(), server.where().text);
}

}  // namespace bench
