// The options of every server: what is accepted is in its range and is the same when it is given
// again, and a path comes back from the listening line.
#include <tests/fuzz/expect.hpp>
#include <tests/fuzz/targets.hpp>

#include <fmt/format.h>

#include <bench/contract/contract.hpp>
#include <bench/server/listening_line.hpp>

namespace {

const bench::server_program program{.name = "some_echo",
                                    .io = {"select", "epoll"},
                                    .automatic = "epoll",
                                    .styles = {"callback", "spawn"},
                                    .shapes = {"per-core", "shared"},
                                    .listens_on_paths = true,
                                    .spins = true,
                                    .gathers = true,
                                    .acknowledges = true};

std::optional<bench::server_options> read_options(const bench::arguments& given) {
  std::vector<const char*> words{"some_echo"};
  for (const auto& each : given) words.push_back(each.c_str());
  return bench::read_server_options(static_cast<int>(words.size()), words.data(), program);
}

bench::arguments arguments_of(const bench::server_options& o) {
  bench::arguments given{
      "--host=" + o.host,
      fmt::format("--port={}", o.port),
      "--io=" + o.io,
      fmt::format("--threads={}", o.threads),
      fmt::format("--steer={}", bench::name_of(o.steer)),
      fmt::format("--buffer={}", o.buffer),
      fmt::format("--ack={}", o.ack),
      fmt::format("--backlog={}", o.backlog),
      fmt::format("--max-connections={}", o.max_connections),
      fmt::format("--idle-timeout={}ns", o.idle_timeout.count()),
      fmt::format("--drain={}ns", o.drain.count()),
      fmt::format("--spin={}ns", o.spin.count()),
      "--gather=" + (o.gather.automatic ? "auto" : fmt::format("{}ns", o.gather.window.count())),
      fmt::format("--inject-ns={}", o.inject_ns.count()),
      "--style=" + o.style,
      "--shape=" + o.shape,
      "--prefix",
      o.prefix,
  };
  if (o.quiet) given.push_back("--quiet");
  if (!o.unix_path.empty()) given.push_back("--unix=" + o.unix_path);
  return given;
}

std::string text_of(const bench::server_options& o) {
  std::string text;
  for (const auto& each : arguments_of(o)) text += each + '\n';
  return text;
}

void expect_within_limits(const bench::server_options& o) {
  fuzz::expect(o.threads >= 1 && bench::loops(o) >= 1 && bench::loops(o) <= 1024,
               "a server has no loop, or too many");
  fuzz::expect(o.buffer >= 1 && o.buffer <= 16777216, "a buffer is out of its range");
  fuzz::expect(bench::connections_per_thread(o) >= 1, "a loop may serve nobody");
  if (o.unix_path.empty()) return;
  const auto line = bench::parse_listening_line(fmt::format("listening unix={} io=x", o.unix_path));
  fuzz::expect(line && line->size() == 2 && line->at("unix") == o.unix_path,
               "a path does not come back from the listening line");
}

}  // namespace

void fuzz::server_options(std::string_view input) try {
  const auto found = read_options(fuzz::arguments_in(input));
  if (!found) return;  // --help
  expect_within_limits(*found);
  const auto again = read_options(arguments_of(*found));
  fuzz::expect(again && text_of(*again) == text_of(*found), "options are not read back");
} catch (const bench::bad_arguments& error) {
  fuzz::expect_clear_as_it_is(error.what(), input);
}
