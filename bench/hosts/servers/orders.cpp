#include <bench/hosts/servers/orders.hpp>

#include <bench/record/fields.hpp>
#include <bench/text/described_json.hpp>
#include <bench/text/failure.hpp>

namespace bench {

BOOST_DESCRIBE_ENUM(server_wish, start, count_family, cpu_ns, pss_kib, begin_counting, counted,
                    expect_foreground, obituary, request_stop, stop, read_processor)
BOOST_DESCRIBE_STRUCT(server_order, (), (wish, server, info, cpu))
BOOST_DESCRIBE_STRUCT(servers_hello, (), (build, pid, machine, calls_not_counted))
BOOST_DESCRIBE_STRUCT(started_server, (), (announced, port, listens_itself))
BOOST_DESCRIBE_ENUM(server_fault_kind, usage, not_available, server_failed, other)
BOOST_DESCRIBE_STRUCT(server_fault, (), (kind, text))
BOOST_DESCRIBE_STRUCT(call_counts, (), (system_calls, context_switches))
BOOST_DESCRIBE_STRUCT(processor_times, (), (busy, steal, processors))
BOOST_DESCRIBE_STRUCT(server_answer, (),
                      (fault, hello, started, yes, number, text, calls, processor))

std::string to_text(const server_order& order) {
  return boost::json::serialize(to_json(order));
}

std::string to_text(const server_answer& said) {
  return boost::json::serialize(to_json(said));
}

std::optional<std::string> build_in_hello(const std::string& line) {
  boost::system::error_code none;
  const auto text = boost::json::parse(line, none);
  if (none) return std::nullopt;
  const auto* build = text.find_pointer("/hello/build", none);
  if (build == nullptr || !build->is_string()) return std::nullopt;
  return std::string{build->as_string()};
}

server_order server_order_of(const std::string& line) {
  return from_json<server_order>(boost::json::parse(line));
}

server_answer server_answer_of(const std::string& line) {
  return from_json<server_answer>(boost::json::parse(line));
}

server_fault fault_of(const std::exception& error) {
  const auto is = [&](const auto* type) { return dynamic_cast<decltype(type)>(&error) != nullptr; };
  const auto kind =
      is(static_cast<const usage_error*>(nullptr))     ? server_fault_kind::usage
      : is(static_cast<const not_available*>(nullptr)) ? server_fault_kind::not_available
      : is(static_cast<const server_failed*>(nullptr)) ? server_fault_kind::server_failed
                                                       : server_fault_kind::other;
  return {kind, error.what()};
}

void throw_fault(const std::string& where, const server_fault& fault) {
  const auto text = where + fault.text;
  switch (fault.kind) {
    case server_fault_kind::usage:
      throw usage_error(text);
    case server_fault_kind::not_available:
      throw not_available(text);
    case server_fault_kind::server_failed:
      throw server_failed(text);
    case server_fault_kind::other:
      break;
  }
  throw run_invalid(text);
}

}  // namespace bench
