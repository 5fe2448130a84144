// What facts ask of texts, their own and those of exceptions.
#pragma once

#include <boost/test/unit_test.hpp>
#include <exception>
#include <string>
#include <utility>

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// For BOOST_CHECK_EXCEPTION: whether the exception says these words.
inline auto saying(std::string words) {
  return [words = std::move(words)](const std::exception& error) {
    BOOST_TEST_MESSAGE(error.what());
    return contains(error.what(), words);
  };
}
