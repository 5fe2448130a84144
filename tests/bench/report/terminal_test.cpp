// The summary fits into the terminal. In a pipe it is plain ASCII.
#include <bench/analysis/analysis.hpp>
#include <bench/report/forms.hpp>
#include <bench/report/report.hpp>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <string>

#include <tests/bench/report/every_form.hpp>
#include <tests/bench/synthetic_run.hpp>

using bench::analyse;

namespace {

std::size_t columns_of(const std::string& utf8) {
  return static_cast<std::size_t>(
      std::count_if(utf8.begin(), utf8.end(), [](char each) { return (each & 0xc0) != 0x80; }));
}

}  // namespace

BOOST_AUTO_TEST_CASE(one_block_is_one_and_one_more_gives) {
  const auto one = every_form(synthetic_run({.rounds = 1}))[4];
  BOOST_TEST(contains(one, "c1/64, c64/512, c256/64: inconclusive: 1 block is too few"));
  BOOST_TEST(contains(analyse(synthetic_run({.rounds = 5})).costs.front().verdict.words,
                      "5 blocks are too few for a 95 % interval; 1 more gives one"));
}

BOOST_AUTO_TEST_CASE(long_names_of_servers_keep_the_columns_apart) {
  auto record = synthetic_run({.rounds = 3});
  const std::string longer = "asio-callback/epoll/t2/shared";
  const auto rename = [&](std::string& name) {
    if (name == "asio-callback/epoll") name = longer;
  };
  for (auto& block : record.blocks) {
    rename(block.comparison.base);
    for (auto& slice : block.slices) rename(slice.server);
  }
  for (auto& pair : record.header.comparisons) rename(pair.base);
  for (auto& sample : record.memory) rename(sample.server);
  const auto text = bench::summary_text(record, {.width = 80}, bench::detail::whole);
  for (const auto& line : lines_of(text)) BOOST_TEST(columns_of(line) <= 80U, line);
  for (auto at = text.find(longer); at != std::string::npos; at = text.find(longer, at + 1))
    BOOST_TEST(std::string{" \n,;:."}.find(text[at + longer.size()]) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_terminal_form_fits_its_columns) {
  for (const int width : {80, 120}) {
    for (const auto& record : {synthetic_run(), synthetic_run({.rounds = 7, .noise = 0.05})}) {
      for (const auto wanted : {bench::detail::brief, bench::detail::whole}) {
        const auto text =
            bench::summary_text(record, {.width = width, .colour = false, .unicode = true}, wanted);
        for (const auto& line : lines_of(text))
          BOOST_TEST(columns_of(line) <= static_cast<std::size_t>(width), line);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_brief_summary_ends_with_the_answers_and_has_no_tables) {
  auto record = synthetic_run();
  record.caveats_found.push_back(bench::caveats::calls_not_counted{"no permission"});
  const auto text = bench::summary_text(record, {}, bench::detail::brief);
  const auto whole = bench::summary_text(record, {}, bench::detail::whole);
  BOOST_TEST(contains(whole, "Loaded alone"));
  BOOST_TEST(!contains(text, "Loaded alone"), text);
  BOOST_TEST(contains(text, "no permission"), text);
  BOOST_TEST(contains(text, "Noise: grade "), text);
  const auto plot = text.find("c64/512 "), answer = text.find("Over 3 loads, fibers/epoll");
  BOOST_REQUIRE(answer != std::string::npos);
  BOOST_TEST(plot < answer);
  const auto last = analyse(record).headlines.back();
  BOOST_TEST(text.ends_with(last.substr(last.size() - 10) + ".\n"), text);
}

BOOST_AUTO_TEST_CASE(a_brief_summary_without_cpu_shows_what_there_is) {
  auto record = synthetic_run({.control = false});
  std::erase_if(record.blocks,
                [](const auto& block) { return block.kind != bench::block_kind::open_loop; });
  BOOST_TEST(contains(bench::summary_text(record, {}, bench::detail::brief), "open loop"));
}

BOOST_AUTO_TEST_CASE(a_pipe_gets_neither_colour_nor_anything_but_ascii) {
  const auto plain = bench::summary_text(synthetic_run(), {}, bench::detail::whole);
  BOOST_TEST(std::all_of(plain.begin(), plain.end(),
                         [](char each) { return each == '\n' || (each >= ' ' && each <= '~'); }));
  const auto coloured =
      bench::summary_text(synthetic_run(), {.width = 80, .colour = true}, bench::detail::whole);
  BOOST_TEST(contains(coloured, "\x1b[1;36mlower"));
}

BOOST_AUTO_TEST_CASE(the_forest_of_a_run_that_goes_on_is_whole_plots_that_fit) {
  const auto found = bench::analyse(synthetic_run({.rounds = 3}));
  const auto lines_of = [&](int most) {
    const auto text = bench::forest_text(found, {}, most);
    return std::count(text.begin(), text.end(), '\n');
  };
  // Two plots of five lines: a title, an axis and three scenarios.
  BOOST_TEST(lines_of(40) == 10);
  BOOST_TEST(lines_of(10) == 10);
  BOOST_TEST(lines_of(9) == 5);
  BOOST_TEST(lines_of(4) == 0);
  BOOST_TEST(bench::forest_text({}, {}, 40).empty());
}
