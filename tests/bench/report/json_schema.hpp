// json_schema: schema_check, the part of JSON Schema that bench/report/schema.json uses. It is
// stricter in one point: a member that the schema does not describe is an error unless the schema
// has additionalProperties.
//
//     schema_check check{schema};
//     check.complaints(value)   // {"report.results.costs[0].ratio is missing"}; empty: valid
#pragma once

#include <boost/json.hpp>
#include <regex>
#include <stdexcept>
#include <string>
#include <vector>

class schema_check {
 public:
  explicit schema_check(const boost::json::value& schema) : root_{schema} {}

  std::vector<std::string> complaints(const boost::json::value& value) {
    found_.clear();
    check(value, root_, "report");
    return found_;
  }

 private:
  using value_type = boost::json::value;

  void check(const value_type& value, const value_type& schema, const std::string& where) {
    if (schema.is_bool()) return;
    const auto& rules = schema.as_object();
    for (const auto& rule : rules) apply(rule.key(), rule.value(), value, where);
    if (value.is_object() && rules.contains("properties") &&
        !rules.contains("additionalProperties"))
      for (const auto& member : value.as_object())
        if (!rules.at("properties").as_object().contains(member.key()))
          found_.push_back(where + "." + std::string{member.key()} + " is not described");
  }

  void apply(std::string_view rule, const value_type& wanted, const value_type& value,
             const std::string& where) {
    if (rule == "type") {
      if (!has_type(value, wanted)) found_.push_back(where + " has the wrong type");
    } else if (rule == "const") {
      if (value != wanted) found_.push_back(where + " is not the constant");
    } else if (rule == "enum") {
      const auto& all = wanted.as_array();
      if (std::find(all.begin(), all.end(), value) == all.end())
        found_.push_back(where + " is not one of the words");
    } else if (rule == "pattern") {
      if (!std::regex_search(wanted_text(value), std::regex{wanted_text(wanted)}))
        found_.push_back(where + " does not match the pattern");
    } else if (rule == "$ref") {
      check(value, referred(wanted_text(wanted)), where);
    } else if (rule == "anyOf") {
      check_any(value, wanted, where);
    } else if (rule == "required") {
      for (const auto& name : wanted.as_array())
        if (value.is_object() && !value.as_object().contains(name.as_string()))
          found_.push_back(where + "." + wanted_text(name) + " is missing");
    } else if (rule == "properties") {
      for (const auto& member : wanted.as_object())
        if (const auto* object = value.if_object())
          if (const auto* each = object->if_contains(member.key()))
            check(*each, member.value(), where + "." + std::string{member.key()});
    } else if (rule == "additionalProperties") {
      if (wanted.is_object())
        for (const auto& member : value.as_object())
          check(member.value(), wanted, where + "." + std::string{member.key()});
    } else if (rule == "items") {
      if (const auto* array = value.if_array())
        for (std::size_t i = 0; i < array->size(); ++i)
          check((*array)[i], wanted, where + "[" + std::to_string(i) + "]");
    } else if (rule != "description" && rule != "title" && rule != "$schema" && rule != "$defs") {
      throw std::logic_error{"a rule this check does not know: " + std::string{rule}};
    }
  }

  void check_any(const value_type& value, const value_type& choices, const std::string& where) {
    std::vector<std::string> before;
    before.swap(found_);
    bool valid = false;
    for (const auto& choice : choices.as_array()) {
      found_.clear();
      check(value, choice, where);
      valid = valid || found_.empty();
    }
    found_.swap(before);
    if (!valid) found_.push_back(where + " is none of the choices");
  }

  static std::string wanted_text(const value_type& value) {
    return value.is_string() ? std::string{value.as_string()} : std::string{};
  }

  const value_type& referred(const std::string& path) const {
    const std::string prefix = "#/$defs/";
    if (!path.starts_with(prefix)) throw std::logic_error{"a reference elsewhere: " + path};
    return root_.at("$defs").at(path.substr(prefix.size()));
  }

  static bool has_type(const value_type& value, const value_type& wanted) {
    if (wanted.is_array()) {
      for (const auto& each : wanted.as_array())
        if (has_type(value, each)) return true;
      return false;
    }
    const auto name = wanted_text(wanted);
    if (name == "object") return value.is_object();
    if (name == "array") return value.is_array();
    if (name == "string") return value.is_string();
    if (name == "boolean") return value.is_bool();
    if (name == "null") return value.is_null();
    if (name == "integer") return value.is_int64() || value.is_uint64();
    if (name == "number") return value.is_number();
    throw std::logic_error{"a type this check does not know: " + name};
  }

  const value_type& root_;
  std::vector<std::string> found_;
};
