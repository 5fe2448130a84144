#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <bench/contract/printable.hpp>
#include <bench/load/address.hpp>
#include <bench/server/catalogue.hpp>
#include <bench/server/regular_expression.hpp>
#include <bench/text/command_words.hpp>
#include <bench/text/failure.hpp>

namespace bench {
namespace {

server_info bundled(std::string name, const std::string& program, const std::string& choice) {
  return {std::move(name),
          fmt::format("{} --quiet {} --idle-timeout 0s --port 0", program, choice),
          {}};
}

// The parts of a server's name: "asio-callback/epoll", "2", "shared", "50us" and so on.
struct variant {
  std::string plain;
  std::string threads;  // empty: one thread
  std::string shape;
  std::string spin;
  std::string gather;    // empty: the server decides
  std::string injected;  // ns per message; empty: none
  std::string reads;     // how a server of fields reads; empty: each by itself
  std::string socket;    // empty: TCP
};

// Longer than any name that the grammar describes. A name may come from a file, and parts_of() is
// slow for long texts.
constexpr std::size_t longest_name = 100;

constexpr std::string_view of_another_build = "old/";

constexpr const char* thread_per_connection = "thread/blocking";

struct peer {
  std::string name;
  std::string program;
  std::string package;
};

const std::vector<peer>& peers() {
  static const std::vector<peer> all{
      {"libuv/epoll", "libuv_echo", "libuv1-dev"},
      {"boost-fiber/epoll", "boost_fiber_echo", "libboost-fiber1.81-dev or newer"},
      {"go/epoll", "go_echo", "golang-go"},
      {"node/epoll", "node_echo", "nodejs"},
      {"asyncio/epoll", "asyncio_echo", "python3"}};
  return all;
}

std::string without_age(const std::string& name) {
  return name.starts_with(of_another_build) ? name.substr(of_another_build.size()) : name;
}

std::optional<variant> parse_variant(const std::string& name) {
  if (name.size() > longest_name) return std::nullopt;
  static const regular_expression grammar{
      "((fibers|floor|thread|libuv|boost-fiber|go|node|asyncio|asio-[a-z]+)/[a-z_]+)(/"
      "t([2-9]|[1-9][0-9]{1,2}))?(/(shared))?"
      "(/spin([1-9][0-9]*[mu]s))?(/gather(off|[1-9][0-9]{0,5}us))?"
      "(/inject([1-9][0-9]{0,8})ns)?(/(buffered|sparing))?(/unix)?"};
  const auto groups = grammar.parts_of(name);
  if (!groups) return std::nullopt;
  const auto& group = *groups;
  const variant found{group[0], group[3],  group[5],  group[7],
                      group[9], group[11], group[13], group[14]};
  const auto& all = bundled_servers();
  if (std::none_of(all.begin(), all.end(), [&](auto& each) { return each.name == found.plain; }))
    return std::nullopt;
  if (!found.shape.empty() && (found.threads.empty() || !found.plain.starts_with("asio-")))
    return std::nullopt;
  if (!found.threads.empty() && found.plain == thread_per_connection) return std::nullopt;
  if (package_of(found.plain) && found.plain != name) return std::nullopt;
  if (!found.spin.empty() && !found.plain.starts_with("fibers/")) return std::nullopt;
  const bool gathers = found.plain == "fibers/io_uring" || found.plain == "floor/io_uring";
  if (!found.gather.empty() && !gathers) return std::nullopt;
  return found;
}

std::optional<server_info> find_bundled(const std::string& name) {
  const auto asked = parse_variant(name);
  if (!asked) return std::nullopt;
  const auto& all = bundled_servers();
  auto server = *std::find_if(all.begin(), all.end(),
                              [&](const server_info& each) { return each.name == asked->plain; });
  server.name = name;
  if (!asked->threads.empty()) server.command += " --threads " + asked->threads;
  if (!asked->shape.empty()) server.command += " --shape " + asked->shape;
  if (!asked->spin.empty()) server.command += " --spin " + asked->spin;
  if (!asked->gather.empty()) server.command += " --gather " + asked->gather;
  if (!asked->injected.empty()) server.command += " --inject-ns " + asked->injected;
  if (!asked->reads.empty()) server.command += " --reads " + asked->reads;
  if (!asked->socket.empty()) server.command += " --unix {path}";
  return server;
}

// The name of a server stands in every table, and its command in the record of the run.
void expect_printable_name(const char* option, const std::string& text, const std::string& name) {
  if (printable(name) == name && valid_utf8(text) == text) return;
  throw usage_error(
      fmt::format("{} '{}' is not UTF-8, or its name has a line feed or another control character",
                  option, text));
}

server_info parse_command(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == 0 || equals == std::string::npos || equals + 1 == text.size()) {
    throw usage_error(fmt::format(
        "--server '{}' is not 'name=command', as in 'mine=./my_echo --port {{port}}'", text));
  }
  expect_printable_name("--server", text, text.substr(0, equals));
  return {text.substr(0, equals), text.substr(equals + 1)};
}

server_info parse_target(const std::string& text) {
  const auto equals = text.find('=');
  const auto where = equals == std::string::npos ? text : text.substr(equals + 1);
  const auto parts = host_and_port::parse(where);
  if (equals == 0 || !parts || parts->host.empty()) {
    throw usage_error(fmt::format(
        "--target '{}' is not host:port or 'name=host:port' with a port of 1 to 65535", text));
  }
  expect_printable_name("--target", text, text);
  return {.name = text.substr(0, equals), .command = "", .target = where};
}

variant variant_of(const std::string& name) {
  return parse_variant(without_age(name)).value_or(variant{name, {}, {}, {}, {}, {}, {}, {}});
}

}  // namespace

const std::vector<server_info>& bundled_servers() {
  static const auto all = [] {
    std::vector<server_info> servers;
    for (const std::string io : {"select", "poll", "epoll", "io_uring"})
      servers.push_back(bundled("fibers/" + io, "fibers_echo", "--io " + io));
    for (const std::string style : {"callback", "coroutine", "spawn"})
      for (const std::string io : {"select", "epoll", "io_uring"})
        servers.push_back(
            bundled("asio-" + style + "/" + io, "asio_echo_" + io, "--style " + style));
    for (const std::string io : {"select", "epoll", "io_uring"})
      servers.push_back(bundled("floor/" + io, "floor_echo", "--io " + io));
    servers.push_back(bundled(thread_per_connection, "thread_echo", "--io blocking"));
    for (const auto& each : peers()) servers.push_back({each.name, each.program + " {port}", {}});
    return servers;
  }();
  return all;
}

server_info find_server(const std::string& name, const std::vector<server_info>& added) {
  std::vector<std::string> names;
  for (const auto& each : added) {
    if (each.name == name) return each;
    names.push_back(each.name);
  }
  if (const auto found = find_bundled(name)) return *found;
  for (const auto& each : bundled_servers()) names.push_back(each.name);
  throw usage_error(
      fmt::format("unknown server '{}'; there are {}, with /t2 for two threads (asio: or "
                  "/t2/shared), /spin50us (fibers), /gather50us or /gatheroff (fibers and floor on "
                  "io_uring), /inject1000ns, /buffered and /sparing (a load of fields) and /unix; "
                  "others join with "
                  "--server 'name=command --port {{port}}' or --target host:port",
                  name, fmt::join(names, ", ")));
}

std::optional<std::string> bundled_reactor(const std::string& name) {
  const auto found = parse_variant(without_age(name));
  if (!found) return std::nullopt;
  return found->plain.substr(found->plain.find('/') + 1);
}

bool may_be_missing(const std::string& name) {
  return bundled_reactor(name) == "io_uring" || package_of(without_age(name));
}

std::optional<std::string> package_of(const std::string& name) {
  for (const auto& each : peers())
    if (each.name == name) return each.package;
  return std::nullopt;
}

bool may_be_slow_at_first(const std::string& name) {
  const auto plain = variant_of(name).plain;
  return !bundled_reactor(name) || package_of(plain) || plain == thread_per_connection;
}

std::vector<server_info> added_servers(const std::vector<std::string>& commands,
                                       const std::vector<std::string>& targets) {
  std::vector<server_info> added;
  const auto add = [&](server_info server, const char* option, const std::string& text) {
    const auto same = [&](const server_info& each) { return each.name == server.name; };
    if (find_bundled(without_age(server.name)) || std::any_of(added.begin(), added.end(), same))
      throw usage_error(fmt::format("{} '{}': that name is taken", option, text));
    added.push_back(std::move(server));
  };
  for (const auto& text : commands) add(parse_command(text), "--server", text);
  for (const auto& text : targets) add(parse_target(text), "--target", text);
  return added;
}

server_info older_server(const std::string& name, const std::filesystem::path& build) {
  auto server = find_server(name);
  const auto end = server.command.find(' ');
  const auto program = server.command.substr(0, end);
  for (const auto* inside : {"", "bin", "build/release/bin"}) {
    const auto path = build / inside / program;
    std::error_code error;
    if (!std::filesystem::is_regular_file(path, error) || access(path.c_str(), X_OK) != 0) continue;
    expect_printable_name("--against", build.string(), build.string());
    server.command = join_words({absolute(path).lexically_normal()}) + server.command.substr(end);
    server.name = std::string{of_another_build} + name;
    return server;
  }
  throw usage_error(
      fmt::format("--against '{}' has no {}, neither in itself nor in bin/ nor in "
                  "build/release/bin/: it wants a "
                  "checkout that was built, its build folder or the folder of its programs",
                  build.string(), program));
}

bool is_of_this_build(const server_info& older) {
  const auto current = find_bundled(without_age(older.name));
  if (!older.name.starts_with(of_another_build) || !current) return false;
  const auto program_of = [](const server_info& each) {
    return find_program(split_words(each.command).front());
  };
  std::error_code error;
  return std::filesystem::equivalent(program_of(older), program_of(*current), error);
}

bool serves(const std::string& name, const scenario& load) {
  const auto plain = without_age(name);
  if (!find_bundled(plain)) return !load.one_way;
  const auto parts = variant_of(plain);
  const auto is_of = [&](std::string_view library) { return parts.plain.starts_with(library); };
  const bool ours = is_of("fibers/") || is_of("floor/") || is_of("asio-");
  if (load.asks == service::fields)
    return ours && !is_of("asio-callback/") && !is_of("asio-spawn/") &&
           (parts.reads.empty() || is_of("asio-") ||
            (is_of("fibers/") && parts.reads == "buffered"));
  if (!parts.reads.empty()) return false;
  if (is_http(load.asks)) return ours && !is_of("asio-spawn/");
  if (load.tls) return ours && !is_of("asio-spawn/");
  return !load.one_way || ours;
}

namespace {

// The bundled program that serves what the load asks for: asio_echo_epoll, asio_http_epoll.
std::string program_for(std::string command, const scenario& load) {
  const std::string_view kind = is_http(load.asks)             ? "_http"
                                : load.asks == service::fields ? "_fields"
                                : load.tls                     ? "_tls"
                                                               : "_echo";
  constexpr std::string_view echo = "_echo";
  const auto at = command.rfind(echo, command.find(" --quiet"));
  return command.replace(at, echo.size(), kind);
}

}  // namespace

server_info made_for(server_info server, const scenario& load) {
  const auto plain = without_age(server.name);
  if (!find_bundled(plain) || package_of(plain) || !serves(server.name, load)) return server;
  server.command = program_for(std::move(server.command), load);
  if (load.stream) server.command += fmt::format(" --buffer {}", load.message_bytes);
  if (load.one_way) server.command += fmt::format(" --ack {}", load.message_bytes);
  return server;
}

std::optional<std::string> floor_of(const std::string& base, const std::string& contender) {
  if (!may_share_a_core(base, contender)) return std::nullopt;
  const auto threads = variant_of(base).threads;
  const auto socket = variant_of(base).socket;
  if (socket != variant_of(contender).socket) return std::nullopt;
  const auto floor = "floor/" + reactor_of(base) + (threads.empty() ? "" : "/t" + threads) + socket;
  if (threads != variant_of(contender).threads || !find_bundled(floor)) return std::nullopt;
  if (base == floor || contender == floor) return std::nullopt;  // the floor is one of the two
  return floor;
}

bool may_share_a_core(const std::string& base, const std::string& contender) {
  const auto first = variant_of(base), second = variant_of(contender);
  return reactor_of(base) == reactor_of(contender) && first.spin.empty() && second.spin.empty() &&
         first.gather.empty() && second.gather.empty();
}

std::optional<double> injected_ns(const std::string& name) {
  const auto injected = variant_of(name).injected;
  if (injected.empty()) return std::nullopt;
  return std::stod(injected);
}

bool is_injected(const comparison& pair) {
  return injected_ns(pair.contender) != injected_ns(pair.base);
}

std::string without_injection(const std::string& name) {
  const auto injected = variant_of(name).injected;
  const auto part = fmt::format("/inject{}ns", injected);
  return injected.empty() ? name : std::string{name}.erase(name.find(part), part.size());
}

std::string reactor_of(const std::string& name) {
  return bundled_reactor(name).value_or("epoll");
}

}  // namespace bench
