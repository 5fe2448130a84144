// Requests with which the tests of suites, plans and schedules begin.
#pragma once

#include <bench/measure/plan.hpp>
#include <string>
#include <utility>
#include <vector>

inline bench::run_request asking(std::string suite) {
  bench::run_request request;
  request.suite = std::move(suite);
  return request;
}

inline bench::run_request comparing(std::vector<std::string> servers) {
  auto request = asking("quick");
  request.servers = std::move(servers);
  return request;
}
