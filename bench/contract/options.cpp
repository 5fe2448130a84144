// The options of every server: one table, one parser, one form of error message.
#include <bench/contract/contract.hpp>

#include <arpa/inet.h>
#include <fmt/core.h>
#include <fmt/ranges.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <bench/contract/duration.hpp>
#include <bench/contract/printable.hpp>
#include <bench/contract/refused_option.hpp>
#include <bench/contract/version.hpp>
#include <boost/program_options.hpp>
#include <charconv>
#include <cstdlib>
#include <limits>
#include <optional>
#include <type_traits>

namespace bench {
namespace {

namespace po = boost::program_options;
using std::chrono::nanoseconds;

// Each read_*() function parses the text of one value and returns whether it is valid.

bool read_host(std::string_view text, std::string& host) {
  host = text == "localhost" ? "127.0.0.1" : text.empty() ? "0.0.0.0" : text;
  in6_addr bytes{};
  return inet_pton(AF_INET, host.c_str(), &bytes) == 1 ||
         inet_pton(AF_INET6, host.c_str(), &bytes) == 1;
}

template <typename Number>
bool read_number(std::string_view text, Number& number, std::type_identity_t<Number> least,
                 std::type_identity_t<Number> most) {
  const auto [end, error] = std::from_chars(text.begin(), text.end(), number);
  return error == std::errc{} && end == text.end() && number >= least && number <= most;
}

bool read_duration(std::string_view text, nanoseconds& duration) {
  const auto found = parse_duration(text);
  if (found) duration = *found;
  return found.has_value();
}

bool read_gathering(std::string_view text, gathering& how) {
  how = {.automatic = text == "auto", .window = nanoseconds{0}};
  if (how.automatic || text == "off") return true;
  return read_duration(text, how.window) && how.window <= std::chrono::seconds{1};
}

bool read_steering(std::string_view text, steering& how) {
  const auto found = steering_named(text);
  if (found) how = *found;
  return found.has_value();
}

// The listening line is split at blanks, so the path must not contain one. Control characters would
// reach the terminal.
bool read_socket_path(std::string_view text, std::string& path) {
  path = text;
  return !text.empty() && text.size() < sizeof(sockaddr_un::sun_path) &&
         std::none_of(text.begin(), text.end(),
                      [](unsigned char each) { return each <= ' ' || each == 0x7F; });
}

struct option {
  const char* name;
  const char* fallback;
  const char* accepts;
  bool (*read)(std::string_view text, server_options& into);
};

constexpr auto duration_forms = "a duration like 30s, 500ms or 50us, at most a day";

// For each option: name, default, what it accepts (for messages), and how its value is read.
const std::array<option, 19> options_table{{
    {"host", "127.0.0.1", "an IPv4 or IPv6 address, localhost, or '' for any",
     [](auto text, auto& o) { return read_host(text, o.host); }},
    {"port", "25000", "0 (any) to 65535",
     [](auto text, auto& o) { return read_number(text, o.port, 0, 65535); }},
    {"unix", nullptr,
     "a path of at most 107 bytes without blanks and control characters, instead of host and port",
     [](auto text, auto& o) { return read_socket_path(text, o.unix_path); }},
    {"threads", "1", "1 to 1024; each has its own loop and its own listener",
     [](auto text, auto& o) { return read_number(text, o.threads, 1, 1024); }},
    {"steer", "hash", "hash, port or turn (wants CAP_BPF): which loop gets a connection",
     [](auto text, auto& o) { return read_steering(text, o.steer); }},
    {"prefix", "GOT:", "at most 65536 bytes that lead each reply",
     [](auto text, auto& o) { return o.prefix = text, text.size() <= 65536; }},
    {"buffer", "1000", "1 to 16777216: the most bytes one receive takes",
     [](auto text, auto& o) { return read_number(text, o.buffer, 1, most_buffer); }},
    {"ack", "0",
     "0 (echo) or 1024 to 16777216: answer only a newline, whenever so many bytes have come",
     [](auto text, auto& o) {
       return read_number(text, o.ack, 0, most_buffer) && (o.ack == 0 || o.ack >= least_ack);
     }},
    {"backlog", "4096", "1 to 65535",
     [](auto text, auto& o) { return read_number(text, o.backlog, 1, 65535); }},
    {"max-connections", "0", "0 (unlimited) or a number; further clients wait in the backlog",
     [](auto text, auto& o) {
       return read_number(text, o.max_connections, 0, std::numeric_limits<std::size_t>::max());
     }},
    {"idle-timeout", "30s", duration_forms,
     [](auto text, auto& o) { return read_duration(text, o.idle_timeout); }},
    {"drain", "5s", duration_forms,
     [](auto text, auto& o) { return read_duration(text, o.drain); }},
    {"inject-ns", "0",
     "0 to 1000000000: CPU time burnt at each receive, to test an instrument with",
     [](auto text, auto& o) {
       std::int64_t count = 0;
       const bool good = read_number(text, count, 0, 1'000'000'000);
       o.inject_ns = nanoseconds{count};
       return good;
     }},
    {"spin", "0", "a duration like 50us, at most a day: look that long before sleeping",
     [](auto text, auto& o) { return read_duration(text, o.spin); }},
    {"gather", "auto",
     "auto, off, or at most 1s, as in 50us: with io_uring, sleep that long for several messages",
     [](auto text, auto& o) { return read_gathering(text, o.gather); }},
    {"io", "auto", nullptr, [](auto text, auto& o) { return o.io = text, true; }},
    {"style", nullptr, nullptr, [](auto text, auto& o) { return o.style = text, true; }},
    {"shape", nullptr, nullptr, [](auto text, auto& o) { return o.shape = text, true; }},
    {"reads", nullptr, nullptr, [](auto text, auto& o) { return o.reads = text, true; }},
}};

// `what` may quote an argument, which may hold any byte.
[[noreturn]] void refuse(std::string_view what) {
  throw bad_arguments{printable(what)};
}

// What --io, --style, --shape and --reads accept depends on the program. Empty for all other
// options.
std::vector<std::string_view> choices(std::string_view name, const server_program& program) {
  if (name == "style") return program.styles;
  if (name == "shape") return program.shapes;
  if (name == "reads") return program.reads;
  if (name != "io") return {};
  std::vector<std::string_view> accepted{"auto"};
  accepted.insert(accepted.end(), program.io.begin(), program.io.end());
  return accepted;
}

constexpr auto one_thread_accepts = "1, since every connection has a thread of its own";

std::string accepts(const option& entry, const server_program& program) {
  if (program.thread_per_connection && entry.name == std::string_view{"threads"})
    return one_thread_accepts;
  return entry.accepts ? entry.accepts
                       : fmt::format("{}", fmt::join(choices(entry.name, program), ", "));
}

bool offered(std::string_view name, const server_program& program) {
  if (name == "unix") return program.listens_on_paths;
  if (name == "steer") return !program.thread_per_connection;
  if (name == "spin") return program.spins;
  if (name == "gather") return program.gathers;
  if (name == "ack") return program.acknowledges;
  if (name == "prefix" || name == "buffer") return program.echoes;
  const bool has_choices = name == "style" || name == "shape" || name == "reads";
  return !has_choices || !choices(name, program).empty();
}

std::optional<std::string> fallback(const option& entry, const server_program& program) {
  if (entry.fallback) return entry.fallback;
  const auto accepted = choices(entry.name, program);
  return accepted.empty() ? std::nullopt : std::optional<std::string>{accepted.front()};
}

void print_usage(const server_program& program) {
  fmt::print("usage: {} [OPTION...]\n\n{}\n\n", program.name, program.purpose);
  for (const auto& entry : options_table) {
    if (!offered(entry.name, program)) continue;
    fmt::print("  --{:<16} {} (default {})\n", entry.name, accepts(entry, program),
               fallback(entry, program).value_or("none"));
  }
  fmt::print("  --{:<16} print nothing but the listening line\n", "quiet");
  fmt::print("  --{:<16} print the version, how it was built, and stop\n", "version");
}

void read_option(const option& entry, const std::string& text, const server_program& program,
                 server_options& options) {
  bool good = entry.read(text, options);
  if (const auto accepted = choices(entry.name, program); !accepted.empty()) {
    good = std::find(accepted.begin(), accepted.end(), text) != accepted.end();
  }
  if (program.thread_per_connection && options.threads > 1) good = false;
  if (good) return;
  refuse(
      fmt::format("--{} accepts {}; '{}' is not that", entry.name, accepts(entry, program), text));
}

po::variables_map parse_command_line(const std::vector<std::string>& given) try {
  po::options_description known;
  known.add_options()("help", "")("version", "")("quiet", "");
  for (const auto& entry : options_table) {
    known.add_options()(entry.name, po::value<std::string>());
  }
  using namespace po::command_line_style;
  po::variables_map values;
  po::store(po::command_line_parser(given)
                .options(known)
                .positional({})
                .style(allow_long | long_allow_next | long_allow_adjacent)
                .run(),
            values);
  return values;
} catch (const po::unknown_option& error) {
  refuse(
      fmt::format("unknown option '{}'; --help lists what is accepted", error.get_option_name()));
} catch (const po::too_many_positional_options_error&) {
  refuse("only options are accepted; --help lists them");
} catch (const po::error& error) {
  refuse(fmt::format("{}; --help lists what is accepted", words_of(error, given)));
}

bool asks_to_be_told(const po::variables_map& values) {
  return values.count("help") != 0 || values.count("version") != 0;
}

server_options options_in(const po::variables_map& values, const server_program& program) {
  server_options options{};
  options.program = program.name;
  options.quiet = values.count("quiet") != 0;
  for (const auto& entry : options_table) {
    const bool given = values.count(entry.name) != 0;
    if (!offered(entry.name, program)) {
      if (given) refuse(fmt::format("--{} is not offered by this server", entry.name));
      continue;
    }
    const auto text = given ? values[entry.name].as<std::string>() : fallback(entry, program);
    if (text) read_option(entry, *text, program, options);
  }
  if (!options.unix_path.empty() && options.steer != steering::by_hash)
    refuse(fmt::format("--steer accepts hash with --unix, which has no ports; '{}' is not that",
                       name_of(options.steer)));
  if (options.io == "auto" && !program.automatic.empty()) options.io = program.automatic;
  return options;
}

}  // namespace

std::optional<server_options> read_server_options(int argc, const char* const* argv,
                                                  const server_program& program) {
  const auto values = parse_command_line({argv + 1, argv + argc});
  if (asks_to_be_told(values)) return std::nullopt;
  return options_in(values, program);
}

server_options parse_server_options(int argc, const char* const* argv,
                                    const server_program& program) try {
  const auto values = parse_command_line({argv + 1, argv + argc});
  if (!asks_to_be_told(values)) return options_in(values, program);
  if (values.count("help") != 0)
    print_usage(program);
  else
    fmt::print("{}\n", version_line(program.name));
  std::exit(0);
} catch (const bad_arguments& error) {
  fmt::print(stderr, "{}: {}\n", program.name, error.what());
  std::exit(2);
}

}  // namespace bench
