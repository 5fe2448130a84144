// orders: what echobench asks the program echobench_servers on another host for, and what that
// answers; each as one line of JSON.
//
//     to_text(server_order{.wish = server_wish::cpu_ns, .server = 2})   // {"wish":"cpu_ns",...}
//     const auto said = server_answer_of(line);
//
// The program says servers_hello first. Then it answers each order with one line. While an order
// takes long it sends empty lines, as signs of life. Programs of different builds part after
// the hello, so the texts need no version.
#pragma once

#include <bench/machine/machine.hpp>
#include <bench/record/record.hpp>
#include <bench/server/anywhere/running.hpp>
#include <chrono>
#include <exception>
#include <map>
#include <optional>
#include <string>

namespace bench {

// Between two signs of life.
inline constexpr std::chrono::seconds between_signs_of_life{1};

// The name of the program, which stands beside echobench on every host.
inline constexpr const char* servers_program = "echobench_servers";

enum class server_wish {
  start,         // `info` and `cpu`; the answer has `started`
  count_family,  // and discard old output; the answer has `yes`, what process_family::count() said
  cpu_ns,        // the answer has `number`
  pss_kib,       // the answer has `number`, or not if the kernel does not tell
  begin_counting,     //
  counted,            // the answer has `calls`
  expect_foreground,  //
  obituary,           // the answer has `text`, or not if the server runs
  request_stop,       //
  stop,               // ends the server, waits for it and forgets it
  read_processor      // `cpu`; the answer has `processor`
};

struct server_order {
  server_wish wish = server_wish::count_family;
  int server = 0;  // its number; echobench chooses it when the server starts
  std::optional<server_info> info{};
  std::optional<int> cpu{};
};

// What the program says of itself and its host.
struct servers_hello {
  std::string build;  // equal only if the programs are
  int pid = 0;
  environment machine;            // server_cpu is the CPU that it proposes
  std::string calls_not_counted;  // why system calls cannot be counted; empty: they can
};

struct started_server {
  std::map<std::string, std::string> announced;
  int port = 0;
  bool listens_itself = true;
};

// Why an order failed: an exception by its type and its text.
enum class server_fault_kind { usage, not_available, server_failed, other };
struct server_fault {
  server_fault_kind kind = server_fault_kind::other;
  std::string text;
};

struct server_answer {
  std::optional<server_fault> fault{};
  std::optional<servers_hello> hello{};
  std::optional<started_server> started{};
  std::optional<bool> yes{};
  std::optional<double> number{};
  std::optional<std::string> text{};
  std::optional<call_counts> calls{};
  std::optional<processor_times> processor{};
};

std::string to_text(const server_order& order);
std::string to_text(const server_answer& said);

// What the hello in this line says of its build, even if the rest is not as here. nullopt: the line
// is no hello, but for example what a shell prints when it starts.
std::optional<std::string> build_in_hello(const std::string& line);

// Both throw std::exception if it is none.
server_order server_order_of(const std::string& line);
server_answer server_answer_of(const std::string& line);

server_fault fault_of(const std::exception& error);

// Throws an exception of that kind, with `where` before its text.
[[noreturn]] void throw_fault(const std::string& where, const server_fault& fault);

}  // namespace bench
