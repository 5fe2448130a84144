// The page as text: it is well formed, has its sections in order and loads nothing.
#include <bench/report/page/script.hpp>

#include <boost/test/unit_test.hpp>
#include <string>

#include <tests/bench/report/every_form.hpp>
#include <tests/bench/synthetic_run.hpp>

BOOST_AUTO_TEST_CASE(the_page_is_well_formed_and_asks_nobody_for_anything) {
  for (const auto& script : {with_charts, without_charts, bench::bundled_script()}) {
    const auto html = page_of(synthetic_run({.utilisation = 0.97}), script);
    const auto read = without_scripts(html);
    BOOST_TEST(first_unbalanced(read) == "");
    BOOST_TEST(contains(html, "default-src 'none'"));
    for (const auto* forbidden :
         {"<link", "href=", "src=", "srcset=", "url(", "@import", "=\"http"})
      BOOST_TEST(!contains(read, forbidden), forbidden);
    BOOST_TEST(html.size() < 500'000U);
  }
}

BOOST_AUTO_TEST_CASE(only_a_page_with_charts_says_how_they_are_read) {
  const auto drawn = without_scripts(page_of(synthetic_run(), with_charts));
  const auto bare = page_of(synthetic_run(), without_charts);
  const auto body = bare.substr(bare.find("<body"));
  for (const auto* part :
       {"Each mark", "ribbons and whiskers", "hollow mark", "Lines and p99.9",
        "dashed:", "Marks up to p99", "Logarithmic scale", "haded", "The charts are drawn by"}) {
    BOOST_TEST(contains(drawn, part), part);
    BOOST_TEST(!contains(body, part), part);
  }
  BOOST_TEST(!contains(drawn, "no charts"));
  BOOST_TEST(contains(bare, "The page has its tables and no charts: nobody could draw them."));
}

BOOST_AUTO_TEST_CASE(the_page_answers_in_the_order_of_a_sceptics_questions) {
  const auto html = every_form(synthetic_run())[3];
  std::size_t last = 0;
  for (const auto* title :
       {"<h1>", "Can I trust this?", "Cost per message</h2>", "Throughput over connections</h2>",
        "Latency by percentile, closed loop</h2>", "Memory over connections</h2>",
        "Every block over time</h2>", "Environment and commands</h2>"}) {
    const auto at = html.find(title);
    BOOST_TEST(at != std::string::npos, title);
    BOOST_TEST(at > last, title);
    last = at;
  }
}
