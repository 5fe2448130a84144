// generators: two generators that several tests use.
#pragma once

#include <fibers/generator.hpp>

#include <stdexcept>
#include <string>

inline fibers::generator<int> countdown(int n) {
  return {[n](auto& yield) mutable {
    for (; n > 0; --n) yield(n);
  }};
}

// Catches a std::runtime_error that is thrown into it, yields its text next, and goes on.
inline fibers::generator<std::string> resilient() {
  return {[](auto& yield) {
    std::string said = "started";
    for (;;) {
      try {
        yield(said);
        said = "nothing";
      } catch (const std::runtime_error& error) {
        said = error.what();
      }
    }
  }};
}
