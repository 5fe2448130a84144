// The page as text: it is well formed, has its sections in order and loads nothing.
#include <bench/report/page/script.hpp>
#include <bench/report/page/words.hpp>

#include <boost/test/unit_test.hpp>
#include <set>
#include <string>

#include <tests/bench/report/every_form.hpp>
#include <tests/bench/synthetic_run.hpp>

namespace {

// What follows each `before` up to a quote.
std::vector<std::string> values_of(const std::string& html, const std::string& before) {
  std::vector<std::string> values;
  for (auto at = html.find(before); at != std::string::npos; at = html.find(before, at + 1)) {
    const auto from = at + before.size();
    values.push_back(html.substr(from, html.find('"', from) - from));
  }
  return values;
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_page_is_well_formed_and_asks_nobody_for_anything) {
  for (const auto& script : {with_charts, without_charts, bench::bundled_script()}) {
    const auto html = page_of(synthetic_run({.utilisation = 0.97}), script);
    const auto read = without_scripts(html);
    BOOST_TEST(first_unbalanced(read) == "");
    BOOST_TEST(contains(html, "default-src 'none'"));
    for (const auto* forbidden :
         {"<link", "href=\"h", "href=\"/", "src=", "srcset=", "url(", "@import", "=\"http"})
      BOOST_TEST(!contains(read, forbidden), forbidden);
    BOOST_TEST(html.size() < 300'000U);
  }
}

BOOST_AUTO_TEST_CASE(only_a_page_with_charts_says_how_they_are_read) {
  const auto drawn = without_scripts(page_of(synthetic_run(), with_charts));
  const auto bare = page_of(synthetic_run(), without_charts);
  const auto body = bare.substr(bare.find("<body"));
  for (const auto* part :
       {"Lines are intervals", "ribbons and whiskers", "hollow mark", "Lines and p99.9",
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
       {"<h1>", "Can I believe this?", "What the run says about itself</h2>",
        "Cost per message</h2>", "Throughput</h2>", "Memory over connections</h2>",
        "Latency by percentile, closed loop</h2>", "Every block over time</h2>",
        "Environment and commands</h2>", "Words</h2>"}) {
    const auto at = html.find(title);
    BOOST_TEST(at != std::string::npos, title);
    BOOST_TEST(at > last, title);
    last = at;
  }
}

BOOST_AUTO_TEST_CASE(every_link_leads_to_a_place_of_the_page_and_no_two_places_have_one_name) {
  for (const auto& record : {synthetic_run(), every_caveat()}) {
    const auto html = page_of(record, without_charts);
    const auto ids = values_of(html, " id=\"");
    const std::set<std::string> places{ids.begin(), ids.end()};
    BOOST_TEST(places.size() == ids.size());
    const auto links = values_of(html, "href=\"");
    BOOST_TEST(links.size() > 10U);
    for (const auto& each : links) {
      BOOST_TEST(each.starts_with("#"), each);
      BOOST_TEST(places.contains(each.substr(1)), each);
    }
  }
}

BOOST_AUTO_TEST_CASE(each_row_of_a_table_can_be_linked_to) {
  const auto html = page_of(synthetic_run(), without_charts);
  for (const auto* id :
       {"row-cpu-fibers-epoll-asio-callback-epoll-c64-512",
        "row-cost-fibers-select-asio-callback-select-c1-64-fibers-select",
        "row-throughput-c64-512-fibers-epoll", "row-throughput-c64-512-fibers-select",
        "row-latency-ratio-fibers-epoll-asio-callback-epoll-c64-512-p50",
        "row-open-loop-c64-512-r50-fibers-epoll-due", "row-memory-fibers-epoll",
        "row-kernel-c64-512-fibers-epoll"})
    BOOST_TEST(contains(html, "id=\"" + std::string{id} + "\""), id);
}

BOOST_AUTO_TEST_CASE(the_rows_of_one_server_in_two_pairs_have_two_names) {
  auto record = synthetic_run();
  const auto pair = record.header.comparisons[0];
  for (auto& block : record.blocks)
    if (block.comparison.contender == "fibers/select") {
      block.comparison.contender = pair.contender;
      for (auto& slice : block.slices)
        if (slice.server == "fibers/select") slice.server = pair.contender;
    }
  const auto html = page_of(record, without_charts);
  BOOST_TEST(contains(html, "id=\"row-throughput-c64-512-fibers-epoll\""));
  BOOST_TEST(contains(html, "id=\"row-throughput-c64-512-fibers-epoll-2\""));
}

BOOST_AUTO_TEST_CASE(every_load_has_its_words) {
  using bench::scenario;
  for (const auto& [name, words] : std::initializer_list<std::pair<const char*, const char*>>{
           {"c1/64", "1 connection of 64 bytes"},
           {"c64/512", "64 connections of 512 bytes"},
           {"c16/16K/d16", "16 connections of 16 KiB, 16 messages at once"},
           {"c64/64+10000idle", "64 connections of 64 bytes, beside 10,000 idle ones"},
           {"c64/512/r20k", "64 connections of 512 bytes, 20,000 messages per second"},
           {"c64/512/r50%", "64 connections of 512 bytes, at 50 % of the full rate"},
           {"c1/64K/stream", "1 connection of 64 KiB, streamed and echoed"},
           {"c16/16K/oneway", "16 connections of 16 KiB, one way"},
           {"c16/64/churn", "a new connection per message of 64 bytes, 16 at a time"}})
    BOOST_TEST(bench::load_words(scenario::parse(name)) == words);
}

BOOST_AUTO_TEST_CASE(a_sentence_names_its_loads_in_words_and_keeps_other_names) {
  const auto found = bench::analyse(synthetic_run());
  BOOST_TEST(bench::in_words("On c64/512, and on c64/512/r50%.", found) ==
             "On 64 connections of 512 bytes, and on 64 connections of 512 bytes, at 50 % of the "
             "full rate.");
  BOOST_TEST(bench::in_words("mine/c64/512 on c64/512/d9", found) == "mine/c64/512 on c64/512/d9");
}

BOOST_AUTO_TEST_CASE(the_first_screen_speaks_no_short_names_of_loads) {
  const auto html = page_of(synthetic_run(), without_charts);
  const auto header =
      html.substr(html.find("<header"), html.find("</header>") - html.find("<header"));
  const auto card = html.substr(html.find("<aside"), html.find("</aside>") - html.find("<aside"));
  for (const auto& text : {header, card}) BOOST_TEST(!contains(text, "c64/512"), text);
  BOOST_TEST(contains(header, "64 connections of 512 bytes"), header);
  BOOST_TEST(contains(card, "none wrong"), card);
  BOOST_TEST(contains(card, "grade A"), card);
}

BOOST_AUTO_TEST_CASE(whatever_a_run_measured_the_first_screen_says_whether_to_believe_it) {
  auto open_loop_only = synthetic_run();
  std::erase_if(open_loop_only.blocks,
                [](const auto& block) { return block.kind != bench::block_kind::open_loop; });
  for (const auto& record : {synthetic_run(), open_loop_only, synthetic_run({.rounds = 0})})
    BOOST_TEST(contains(page_of(record, without_charts), "Can I believe this?"));
}
