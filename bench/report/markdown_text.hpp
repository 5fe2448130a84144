// markdown text: the tables of reports that are read on a web page of a repository.
//
//     markdown_head({"server", "p50 us"}) + markdown_row({"fibers/epoll", "59.4"})
#pragma once

#include <string>
#include <vector>

namespace bench {

std::string markdown_row(const std::vector<std::string>& cells);

// With the line below it; all columns but the first are numbers.
std::string markdown_head(const std::vector<std::string>& cells);

}  // namespace bench
