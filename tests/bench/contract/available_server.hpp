// available_server: skips a test program whose server cannot run here.
//
//     BOOST_TEST_GLOBAL_CONFIGURATION(available_server);
//
// If the server ends because io_uring is forbidden, as in many containers, the program exits with
// code 77, and CTest shows the test as skipped.
#pragma once

#include <cstdlib>
#include <exception>
#include <iostream>

#include <tests/bench/contract/server_process.hpp>

struct available_server {
  available_server() {
    try {
      server_process{};
    } catch (const std::exception&) {
      skip_where_it_is_forbidden();
    }
  }

  static void skip_where_it_is_forbidden() {
    const auto refusal = run_server({"--port", "0", "--quiet"}).errors;
    if (refusal.find("io_uring") == refusal.npos) return;  // the test cases will fail and show it
    std::cout << "skipped: " << refusal << std::flush;
    std::_Exit(77);
  }
};
