// host_table: the hosts from which load came, as a table and as a sentence.
#pragma once

#include <bench/analysis/analysis.hpp>
#include <bench/record/record.hpp>
#include <bench/report/table.hpp>
#include <string>
#include <vector>

namespace bench {

// A line for each load and each host. Empty: one thread of this machine loaded the servers, or the
// report is of an older version.
table host_table(const results& found);

// "load from 3 hosts, 6 generators (a 2, b 3, c 1); servers on d". Empty: neither was elsewhere.
std::string hosts_text(const run_header& header);

// What each host is: "a: 2 generators, 8 x Imaginary CPU 3000, kernel 6.1.0".
std::vector<std::string> descriptions_of_hosts(const run_header& header);

}  // namespace bench
