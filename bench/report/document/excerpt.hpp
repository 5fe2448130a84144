// excerpt: what a document can show of a run, by name.
//
//     excerpt(header, found, "headline")
//     excerpt(header, found, "cost of fibers/epoll against asio-callback/epoll on c1/64,c64/512")
//
// headline, machine and summary are for a README; every other name is that of a table.
#pragma once

#include <bench/analysis/analysis.hpp>
#include <bench/record/record.hpp>
#include <string>
#include <string_view>

namespace bench {

// "NAME [of SERVER against SERVER] [on LOAD,LOAD...]", with every name that there is.
std::string accepted_excerpts();

// Whole lines of Markdown. Throws std::invalid_argument, whose text says what is accepted, for a
// name that does not exist and for servers, loads or tables that the run does not have.
std::string excerpt(const run_header& header, const results& found, std::string_view wanted);

}  // namespace bench
