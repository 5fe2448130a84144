// fields: maps the members of a record to their names in run.ndjson.
//
// Only files that turn records into JSON include this header.
#pragma once

#include <bench/record/record.hpp>
#include <bench/text/described_json.hpp>

namespace bench {

BOOST_DESCRIBE_ENUM(block_kind, duet, exclusive, open_loop)
BOOST_DESCRIBE_ENUM(run_end, complete, interrupted)
BOOST_DESCRIBE_STRUCT(server_info, (), (name, command, announced, target, prefix))
BOOST_DESCRIBE_STRUCT(comparison, (), (base, contender, floor))
BOOST_DESCRIBE_STRUCT(environment, (),
                      (cpu_model, cpus, kernel, virtualization, governor, mitigations, compiler,
                       build_type, flags, boost_version, server_cpu, client_cpu, commit, clock_rate,
                       caches, tick_hz, irq_time))
BOOST_DESCRIBE_STRUCT(load_host, (), (name, generators, kernel, cpu_model, cpus))
BOOST_DESCRIBE_STRUCT(host_share, (),
                      (host, messages, p50_us, p99_us, late_p99_us, client_utilisation,
                       start_skew_us, retransmits))
BOOST_DESCRIBE_STRUCT(run_header, (),
                      (format, started_utc, suite, command_line, seed, rounds, scenarios, servers,
                       comparisons, machine, label, watched, hosts, servers_on))
BOOST_DESCRIBE_STRUCT(open_loop_times, (),
                      (rate_per_second, due, service_p50_us, service_p90_us, service_p99_us,
                       late_p99_us, service))
BOOST_DESCRIBE_STRUCT(slice, (),
                      (server, launch, position, seconds, messages, checked, cpu_ns, p50_us, p90_us,
                       p99_us, max_us, client_utilisation, open_loop, start_ms, latency, hosts))
BOOST_DESCRIBE_STRUCT(block, (),
                      (kind, round, control, scenario, comparison, order, slices, foreign_cpu_share,
                       steal_share, client_foreign_share))
BOOST_DESCRIBE_STRUCT(memory_sample, (), (server, connections, pss_kib))
BOOST_DESCRIBE_STRUCT(kernel_sample, (),
                      (server, scenario, messages, system_calls, context_switches))

namespace caveats {
BOOST_DESCRIBE_STRUCT(client_saturated, (), (server, scenario, utilisation))
BOOST_DESCRIBE_STRUCT(backend_mismatch, (), (server, asked, got))
BOOST_DESCRIBE_STRUCT(blocks_correlated, (), (scenario, comparison, p))
BOOST_DESCRIBE_STRUCT(debug_build, (), (server))
BOOST_DESCRIBE_STRUCT(threads_mixed, (), (base, contender))
BOOST_DESCRIBE_STRUCT(one_cpu, (), ())
BOOST_DESCRIBE_STRUCT(not_pinned, (), (reason))
BOOST_DESCRIBE_STRUCT(noisy_machine, (), (foreign_cpu_share))
BOOST_DESCRIBE_STRUCT(no_control, (), ())
BOOST_DESCRIBE_STRUCT(run_incomplete, (), (rounds_done, rounds_planned))
BOOST_DESCRIBE_STRUCT(time_stolen, (), (share))
BOOST_DESCRIBE_STRUCT(clock_follows_load, (), (governor))
BOOST_DESCRIBE_STRUCT(noise_grade_d, (), (spread))
BOOST_DESCRIBE_STRUCT(empty_slices, (), (scenario, comparison, blocks))
BOOST_DESCRIBE_STRUCT(cost_missing, (), (scenario, comparison, blocks))
BOOST_DESCRIBE_STRUCT(control_misread, (), (scenario, burnt_ns, low_ns, high_ns))
BOOST_DESCRIBE_STRUCT(replies_delayed, (), (server, scenario, p50_us))
BOOST_DESCRIBE_STRUCT(descriptors_missing, (), (scenario, kind, wanted, limit))
BOOST_DESCRIBE_STRUCT(server_missing, (), (server, reason))
BOOST_DESCRIBE_STRUCT(calls_not_counted, (), (reason))
BOOST_DESCRIBE_STRUCT(run_resumed, (), (at_utc))
BOOST_DESCRIBE_STRUCT(run_void, (), (reason))
BOOST_DESCRIBE_STRUCT(not_started_here, (), (server, target))
BOOST_DESCRIBE_STRUCT(processes_changed, (), (server))
BOOST_DESCRIBE_STRUCT(unlike_reactors, (), (base, contender))
BOOST_DESCRIBE_STRUCT(client_disturbed, (), (share))
BOOST_DESCRIBE_STRUCT(memory_cut_short, (), (server, connections, reason))
BOOST_DESCRIBE_STRUCT(cpu_elsewhere, (), (server))
BOOST_DESCRIBE_STRUCT(host_differs, (), (host, scenario, what))
BOOST_DESCRIBE_STRUCT(generator_saturated, (), (host, scenario, utilisation))
BOOST_DESCRIBE_STRUCT(start_skewed, (), (host, share, skew_us))
BOOST_DESCRIBE_STRUCT(host_left_out, (), (host))
BOOST_DESCRIBE_STRUCT(servers_elsewhere, (), (host))
BOOST_DESCRIBE_STRUCT(load_saturated, (), (server, scenario, rate_per_second, answered))
}  // namespace caveats

template <>
struct json_form<scenario> {
  static boost::json::value write(const scenario& load) { return to_json(load.text()); }
  static scenario read(const boost::json::value& value, const std::string& where) try {
    return scenario::parse(from_json<std::string>(value, where));
  } catch (const std::invalid_argument& error) {
    throw malformed{where, std::string{"is no scenario: "} + error.what()};
  }
};

// Written as hdr_encoded() writes it, so that any HdrHistogram implementation can decode it.
template <>
struct json_form<kept_histogram> {
  static boost::json::value write(const kept_histogram& times);
  static kept_histogram read(const boost::json::value& value, const std::string& where);
};

// Written as {"caveat": "one_cpu", ...}: the members of that caveat and its sentence as "text".
template <>
struct json_form<caveat> {
  static boost::json::value write(const caveat& found);
  static caveat read(const boost::json::value& value, const std::string& where);
};

}  // namespace bench
