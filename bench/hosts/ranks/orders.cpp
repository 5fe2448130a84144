#include <bench/hosts/ranks/orders.hpp>

#include <array>
#include <bench/load/failure_form.hpp>
#include <bench/record/fields.hpp>
#include <bench/text/described_json.hpp>
#include <stdexcept>

namespace bench {

namespace orders {
BOOST_DESCRIBE_STRUCT(introduce, (), ())
BOOST_DESCRIBE_STRUCT(begin, (), (load, seed, patience_seconds))
BOOST_DESCRIBE_STRUCT(meet, (), (name, where, tls_host))
BOOST_DESCRIBE_STRUCT(connect, (), (server, total))
BOOST_DESCRIBE_STRUCT(load, (), (servers, per_second, seconds))
BOOST_DESCRIBE_STRUCT(drop, (), ())
BOOST_DESCRIBE_STRUCT(end, (), ())
}  // namespace orders

BOOST_DESCRIBE_STRUCT(generator_description, (),
                      (build, kernel, cpu_model, cpus, descriptors, ports, ports_used, links,
                       start_skew_us))
BOOST_DESCRIBE_STRUCT(generator_share, (),
                      (seconds, messages, messages_in_all, unanswered, due, client_utilisation,
                       start_skew_us, retransmits, latency, late))
BOOST_DESCRIBE_STRUCT(answer, (), (failure, prefix, about, shares, ended_early))
BOOST_DESCRIBE_STRUCT(merged_times, (), (latency, service, late))
BOOST_DESCRIBE_STRUCT(joint_answer, (), (ranks, times, silent))

namespace {

namespace json = boost::json;

// In the order of the alternatives of any_order.
constexpr std::array<std::string_view, std::variant_size_v<any_order>> order_names{
    "introduce", "begin", "meet", "connect", "load", "drop", "end"};

// The prefix of a server may hold any bytes. Boost.JSON writes those from 0x80 on as they are.
json::value parse(const std::string& text) {
  json::parse_options chosen;
  chosen.allow_invalid_utf8 = true;
  return json::parse(text, {}, chosen);
}

}  // namespace

std::string to_text(const any_order& order) {
  json::object object{{"order", order_names[order.index()]}};
  const auto members = std::visit([](const auto& each) { return to_json(each); }, order);
  for (const auto& member : members.as_object()) object[member.key()] = member.value();
  return json::serialize(object);
}

any_order order_of(const std::string& text) {
  const auto value = parse(text);
  const std::string_view name = value.at("order").as_string();
  std::optional<any_order> found;
  boost::mp11::mp_for_each<boost::mp11::mp_iota_c<order_names.size()>>([&](auto index) {
    if (name == order_names[index])
      found = from_json<std::variant_alternative_t<index, any_order>>(value);
  });
  if (!found) throw std::invalid_argument("an order that is not known here");
  return *found;
}

std::string to_text(const answer& said) {
  return json::serialize(to_json(said));
}

answer answer_of(const std::string& text) {
  return from_json<answer>(parse(text));
}

std::string to_text(const joint_answer& said) {
  return json::serialize(to_json(said));
}

joint_answer joint_answer_of(const std::string& text) {
  return from_json<joint_answer>(parse(text));
}

}  // namespace bench
