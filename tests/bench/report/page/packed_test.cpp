// What the page's script unpacks is what was packed. charts/packed.js does the same as the
// functions here; page_test sees it do so in a browser.
#include <bench/report/json.hpp>
#include <bench/report/page/packed.hpp>

#include <boost/test/unit_test.hpp>
#include <sstream>
#include <string>
#include <vector>

#include <tests/bench/report/every_form.hpp>
#include <tests/bench/synthetic_run.hpp>

namespace {

using boost::json::value;

std::string unpacked_lines(const std::string& packed) {
  std::istringstream in{packed};
  std::string whole, last;
  for (std::string line; std::getline(in, line);) {
    const auto space = line.find(' ');
    last = last.substr(0, std::stoul(line)) + line.substr(space + 1);
    whole += (in.eof() ? last : last + '\n');
  }
  return whole;
}

value unpacked(const value& packed, const boost::json::array& keys) {
  if (!packed.is_array()) return packed;
  const auto& all = packed.as_array();
  if (all[0].to_number<int>() < 0) {
    boost::json::array array;
    for (std::size_t i = 1; i < all.size(); ++i) array.push_back(unpacked(all[i], keys));
    return array;
  }
  boost::json::object object;
  const auto& of_object = keys.at(all[0].to_number<std::size_t>()).as_array();
  for (std::size_t i = 0; i < of_object.size(); ++i)
    object[of_object[i].as_string()] = unpacked(all[i + 1], keys);
  return object;
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_line_begins_like_the_line_before_it) {
  BOOST_TEST(bench::packed_lines("c1/64,a,1\nc1/64,b,2") == "0 c1/64,a,1\n6 b,2");
  BOOST_TEST(bench::packed_lines("") == "0 ");
  BOOST_TEST(bench::packed_lines("a\n\n") == "0 a\n0 \n0 ");
}

BOOST_AUTO_TEST_CASE(characters_outside_of_ascii_are_not_shared) {
  BOOST_TEST(bench::packed_lines("a\u00e9b\na\u00e9c") == "0 a\u00e9b\n1 \u00e9c");
}

BOOST_AUTO_TEST_CASE(keys_are_written_once) {
  const auto packed = bench::packed_json(boost::json::parse(R"([{"x":1,"y":[2]},{"x":3,"y":{}}])"));
  BOOST_TEST(boost::json::serialize(packed) ==
             R"({"keys":[["x","y"],[]],"data":[-1,[0,1,[-1,2]],[0,3,[1]]]})");
}

BOOST_AUTO_TEST_CASE(nothing_of_a_run_is_lost) {
  for (const auto& record : {synthetic_run(), every_caveat()}) {
    const auto found = bench::analyse(record);
    const auto csv = bench::csv_report(record.header, found);
    const auto lines = bench::packed_lines(csv);
    BOOST_TEST(unpacked_lines(lines) == csv);
    BOOST_TEST(lines.size() < csv.size());
    const auto text = bench::json_report_line(record.header, found);
    const auto packed = bench::packed_json(boost::json::parse(text));
    BOOST_TEST(
        (unpacked(packed.at("data"), packed.at("keys").as_array()) == boost::json::parse(text)));
    BOOST_TEST(boost::json::serialize(packed).size() < text.size());
  }
}
