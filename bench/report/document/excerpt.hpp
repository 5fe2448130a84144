// excerpt: parts of a report, by name, for use in documents.
//
//     excerpt(header, found, "headline")
//     excerpt(header, found, "cost of fibers/epoll against asio-callback/epoll on c1/64,c64/512")
//
// The names headline, machine and summary are for a README; every other name is that of a table.
#pragma once

#include <bench/analysis/analysis.hpp>
#include <bench/record/record.hpp>
#include <string>
#include <string_view>

namespace bench {

// The syntax, "NAME [of SERVER against SERVER] [on LOAD,LOAD...]", and the list of names.
std::string accepted_excerpts();

// The part `wanted` as whole lines of Markdown. Throws std::invalid_argument for an unknown name
// and for servers, loads or tables that the run does not have; what() says what is accepted.
std::string excerpt(const run_header& header, const results& found, std::string_view wanted);

}  // namespace bench
