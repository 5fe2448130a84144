#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <bench/contract/printable.hpp>
#include <bench/machine/machine.hpp>
#include <bench/measure/preparation.hpp>
#include <bench/server/catalogue.hpp>
#include <bench/text/failure.hpp>
#include <bench/text/numbers.hpp>
#include <bench/text/options.hpp>
#include <bench/text/terminal.hpp>

namespace bench {
namespace {

pinning parse_pins(const std::string& text, const std::vector<int>& allowed) {
  const auto parts = split(text, ',');
  const auto cpu = [&](std::size_t i) {
    const auto number = parts.size() == 2 ? parse_number(parts[i]) : std::nullopt;
    if (!number || std::find(allowed.begin(), allowed.end(), *number) == allowed.end()) {
      throw usage_error(fmt::format("--pin '{}' is not none or SERVER_CPU,CLIENT_CPU out of {}",
                                    text, fmt::join(allowed, " ")));
    }
    return *number;
  };
  const pinning pins{cpu(0), cpu(1)};
  if (pins.server_cpu == pins.client_cpu) {
    throw usage_error(
        fmt::format("--pin '{}' puts servers and client on one CPU: it wants none or "
                    "SERVER_CPU,CLIENT_CPU, two out of {}",
                    text, fmt::join(allowed, " ")));
  }
  return pins;
}

void pin(const pinning& pins, environment& machine) {
  pin_this_thread(pins.client_cpu);
  machine.server_cpu = pins.server_cpu;
  machine.client_cpu = pins.client_cpu;
}

std::string value_of(const server_info& server, const std::string& key) {
  const auto found = server.announced.find(key);
  return found == server.announced.end() ? "" : found->second;
}

// A server of others may also fail: it is no part of what the run is about.
bool may_leave_out(const std::string& server, const run_invalid& failure) {
  if (dynamic_cast<const not_available*>(&failure) != nullptr) return true;
  const bool is_its_fault = dynamic_cast<const server_failed*>(&failure) != nullptr ||
                            dynamic_cast<const wrong_reply*>(&failure) != nullptr;
  return is_its_fault && package_of(server);
}

}  // namespace

environment prepare_machine(const std::string& pin_text, std::vector<caveat>& caveats_found) {
  raise_descriptor_limit();
  auto machine = describe_machine();
  const auto allowed = allowed_cpus();
  if (pin_text == "none") {
    caveats_found.push_back(caveats::not_pinned{"--pin none"});
  } else if (!pin_text.empty()) {
    pin(parse_pins(pin_text, allowed), machine);
  } else if (const auto pins = choose_pins(allowed)) {
    pin(*pins, machine);
  }
  if (allowed.size() == 1) caveats_found.push_back(caveats::one_cpu{});
  return machine;
}

void expect_possible(const scenario& load) {
  const auto expect = [](const char* option, int value, int least, int most) {
    if (value < least || value > most)
      throw usage_error(fmt::format("--{} {} is not {} to {}", option, value, least, most));
  };
  expect("connections", load.connections, 1, max_connections);
  expect("size", load.message_bytes, min_message_bytes, max_message_bytes);
  expect("depth", load.depth, 1, max_depth);
}

void leave_out_missing(run_plan& plan, test_bed& bed) {
  const auto planned = plan.servers;
  for (const auto& server : planned) {
    if (!may_be_missing(server.name)) continue;
    try {
      bed.introduce(server.name);
    } catch (const run_invalid& failure) {
      if (!may_leave_out(server.name, failure)) throw;
      bed.abandon();
      leave_out(plan, server.name, failure.what());
      tell(stderr, "{}\n", text_of(plan.left_out.back()));
    }
  }
}

void introduce(std::vector<server_info>& servers, test_bed& bed, bool allow_debug,
               std::vector<caveat>& caveats_found) {
  for (auto& server : servers) {
    const auto found = bed.introduce(server.name);
    server.announced = found.announced;
    server.prefix = valid_utf8(found.prefix);  // as the record returns it when a run is resumed
    if (!bundled_reactor(server.name)) {
      tell(stderr, "{}  every byte of a reply is right, prefix: {}\n", server.name,
           prefix_text(found.prefix));
    }
    if (server.target) {
      caveats_found.push_back(caveats::not_started_here{server.name, *server.target});
    }
    if (!found.listens_itself) caveats_found.push_back(caveats::cpu_elsewhere{server.name});
    if (value_of(server, "debug") == "1") {
      if (!allow_debug) {
        throw run_invalid(fmt::format(
            "{} is a debug build, whose times mean nothing; --allow-debug measures it anyway",
            server.name));
      }
      caveats_found.push_back(caveats::debug_build{server.name});
    }
    const auto asked = bundled_reactor(server.name);
    const auto got = value_of(server, "io");
    if (asked && *asked != got && !found.announced.empty()) {
      caveats_found.push_back(caveats::backend_mismatch{server.name, *asked, got});
    }
  }
}

}  // namespace bench
