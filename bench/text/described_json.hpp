// described_json: converts structs to JSON and back by the names of their members.
//
//     BOOST_DESCRIBE_STRUCT(point, (), (x, y))
//     to_json(point{1, 2})                       // {"x":1,"y":2}
//     from_json<point>(value, "corner")          // throws malformed: "corner.y is missing"
//
// An empty optional is written as null and may be missing when read. JSON has no infinity and no
// NaN, so they are written as null too. Members that the struct does not have are ignored.
#pragma once

#include <boost/describe.hpp>
#include <boost/json.hpp>
#include <boost/mp11.hpp>
#include <boost/pfr.hpp>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace bench {

// On one line, or indented by two blanks per level. Numbers have up to twelve significant digits
// and no exponent unless they are very large or small.
std::string json_text(const boost::json::value& value);
std::string indented_json_text(const boost::json::value& value);

template <class T>
using members_of = boost::describe::describe_members<T, boost::describe::mod_public>;

template <class T>
concept described_struct = boost::describe::has_describe_members<T>::value && !std::is_union_v<T>;

// Compile-time check: a member that BOOST_DESCRIBE_STRUCT does not list would silently be missing
// in the file.
template <described_struct T>
constexpr bool every_member_is_described =
    boost::mp11::mp_size<members_of<T>>::value == boost::pfr::tuple_size_v<T>;

// what() says what is wrong and where, as in "slices[2].seconds is missing".
struct malformed : std::runtime_error {
  malformed(const std::string& where, const std::string& what)
      : std::runtime_error{(where.empty() ? "it" : where) + " " + what} {}
};

// How a type is written and read. Other files specialise it for types with a text of their own.
template <class T>
struct json_form;

template <class T>
boost::json::value to_json(const T& value) {
  return json_form<T>::write(value);
}

template <class T>
T from_json(const boost::json::value& value, const std::string& where = {}) {
  return json_form<T>::read(value, where);
}

template <class T>
requires std::is_arithmetic_v<T>
struct json_form<T> {
  static boost::json::value write(T value) {
    if constexpr (std::is_floating_point_v<T>)
      if (!std::isfinite(value)) return nullptr;
    return value;
  }
  static T read(const boost::json::value& value, const std::string& where) {
    boost::json::error_code error;
    const auto number = value.to_number<T>(error);
    bool fits = !error;
    if constexpr (std::is_floating_point_v<T>) fits = fits && std::isfinite(number);  // 1e999
    if (!fits) throw malformed{where, "is not a number that fits"};
    return number;
  }
};

template <>
struct json_form<bool> {
  static boost::json::value write(bool value) { return value; }
  static bool read(const boost::json::value& value, const std::string& where) {
    if (!value.is_bool()) throw malformed{where, "is neither true nor false"};
    return value.as_bool();
  }
};

template <>
struct json_form<std::string> {
  static boost::json::value write(const std::string& value) { return boost::json::string(value); }
  static std::string read(const boost::json::value& value, const std::string& where) {
    if (!value.is_string()) throw malformed{where, "is not a text"};
    return std::string{value.as_string()};
  }
};

template <>
struct json_form<char> {
  static boost::json::value write(char value) { return boost::json::string(1, value); }
  static char read(const boost::json::value& value, const std::string& where) {
    if (!value.is_string() || value.as_string().size() != 1)
      throw malformed{where, "is not one letter"};
    return value.as_string().front();
  }
};

template <class T>
struct json_form<std::optional<T>> {
  static boost::json::value write(const std::optional<T>& value) {
    return value ? to_json(*value) : nullptr;
  }
  static std::optional<T> read(const boost::json::value& value, const std::string& where) {
    if (value.is_null()) return std::nullopt;
    return from_json<T>(value, where);
  }
};

template <class T>
struct json_form<std::vector<T>> {
  static boost::json::value write(const std::vector<T>& values) {
    boost::json::array array;
    for (const auto& value : values) array.push_back(to_json(value));
    return array;
  }
  static std::vector<T> read(const boost::json::value& value, const std::string& where) {
    if (!value.is_array()) throw malformed{where, "is not a list"};
    std::vector<T> values;
    for (const auto& each : value.as_array())
      values.push_back(from_json<T>(each, where + "[" + std::to_string(values.size()) + "]"));
    return values;
  }
};

template <class T>
struct json_form<std::map<std::string, T>> {
  static boost::json::value write(const std::map<std::string, T>& values) {
    boost::json::object object;
    for (const auto& [key, value] : values) object[key] = to_json(value);
    return object;
  }
  static std::map<std::string, T> read(const boost::json::value& value, const std::string& where) {
    if (!value.is_object()) throw malformed{where, "is not an object"};
    std::map<std::string, T> values;
    for (const auto& member : value.as_object())
      values[std::string{member.key()}] =
          from_json<T>(member.value(), where + "." + std::string{member.key()});
    return values;
  }
};

template <class T>
requires std::is_enum_v<T>
struct json_form<T> {
  static boost::json::value write(T value) {
    return boost::json::string(boost::describe::enum_to_string(value, "unknown"));
  }
  static T read(const boost::json::value& value, const std::string& where) {
    T result{};
    if (!value.is_string() || !boost::describe::enum_from_string(value.as_string().c_str(), result))
      throw malformed{where, "is not a word known here"};
    return result;
  }
};

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;
template <class T>
inline constexpr bool is_optional<std::shared_ptr<T>> = true;

// The member `name` of the object at `where`. Where it is absent, its value is null if it may be
// absent; otherwise the constructor throws malformed.
struct found_member {
  found_member(const boost::json::value& object, const char* name, const std::string& where,
               bool may_be_absent);

  std::string path;
  const boost::json::value* value;
};

template <class Member>
void read_member(Member& target, const boost::json::value& object, const char* name,
                 const std::string& where) {
  const found_member found{object, name, where, is_optional<Member>};
  target = from_json<Member>(*found.value, found.path);
}

template <class Member>
void write_member(boost::json::object& object, const char* name, const Member& value) {
  object[name] = to_json(value);
}

template <described_struct T>
struct json_form<T> {
  static_assert(every_member_is_described<T>);

  static boost::json::value write(const T& value) {
    boost::json::object object;
    boost::mp11::mp_for_each<members_of<T>>(
        [&](auto member) { write_member(object, member.name, value.*member.pointer); });
    return object;
  }
  static T read(const boost::json::value& value, const std::string& where) {
    if (!value.is_object()) throw malformed{where, "is not an object"};
    T result;
    boost::mp11::mp_for_each<members_of<T>>(
        [&](auto member) { read_member(result.*member.pointer, value, member.name, where); });
    return result;
  }
};

}  // namespace bench
