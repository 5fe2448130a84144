// resident_pages: how many pages of a stack are in memory.
#pragma once

#include <sys/mman.h>
#include <fibers/memory/stack.hpp>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstdint>
#include <vector>

inline std::size_t resident_pages(const fibers::stack& memory) {
  constexpr std::size_t page = 4096;
  const auto top = reinterpret_cast<std::uintptr_t>(memory.top()) / page * page + page;
  const auto bottom = reinterpret_cast<std::uintptr_t>(memory.bottom()) / page * page;
  std::vector<unsigned char> pages((top - bottom) / page);
  BOOST_REQUIRE(::mincore(reinterpret_cast<void*>(bottom), top - bottom, pages.data()) == 0);
  return static_cast<std::size_t>(
      std::ranges::count_if(pages, [](unsigned char state) { return (state & 1) != 0; }));
}
