// latency files: what the tools of HdrHistogram read of a run.
//
//     latency_log(record)           // latency.hlog: a line for every slice of a server alone
//     percentile_tables(record)     // latency/c64-512_fibers-epoll.hgrm: over all its blocks
//
// A closed loop's line is tagged fibers/epoll@c64/512, an open loop's two are
// fibers/epoll@c64/512/r50%:response, from when a message was due, and :service, from when it was
// sent. Control blocks are left out: they compare a server with itself.
#pragma once

#include <bench/record/record.hpp>
#include <map>
#include <string>

namespace bench {

// Empty where no slice kept its histogram, as in the runs of older versions.
std::string latency_log(const run_record& record);

// By the name of the file, each a table in milliseconds.
std::map<std::string, std::string> percentile_tables(const run_record& record);

}  // namespace bench
