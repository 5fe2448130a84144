// latency_files: a run's latencies in the file formats of HdrHistogram's tools.
//
//     latency_log(record)           // latency.hlog: a line per slice of a server loaded alone
//     percentile_tables(record)     // latency/c64-512_fibers-epoll.hgrm: all blocks merged
//
// A closed loop has the tag fibers/epoll@c64/512. An open loop has two:
// fibers/epoll@c64/512/r50%:response counts from when a message was due, and :service from when it
// was sent. Control blocks are left out, because they compare a server with itself.
#pragma once

#include <bench/record/record.hpp>
#include <map>
#include <string>

namespace bench {

// Empty if no slice kept its histogram, as in runs of older versions.
std::string latency_log(const run_record& record);

// Maps the file name to the content, a percentile table in milliseconds.
std::map<std::string, std::string> percentile_tables(const run_record& record);

}  // namespace bench
