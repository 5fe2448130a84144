// Latencies as HdrHistogram writes them: what goes in comes out, what is none is refused in words.
#include <bench/report/latency_files.hpp>
#include <bench/statistics/hdr_encoding.hpp>

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <random>
#include <string>

#include <tests/bench/synthetic_run.hpp>

namespace {

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

std::string refusal_of(const std::string& text) {
  try {
    bench::hdr_decoded(text);
    return {};
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
}

bench::histogram lognormal(int values) {
  bench::histogram times;
  std::mt19937_64 random{4};
  std::lognormal_distribution<double> distribution{11, 2};
  for (int i = 0; i < values; ++i) times.record(static_cast<std::uint64_t>(distribution(random)));
  return times;
}

}  // namespace

// --- the encoding

BOOST_AUTO_TEST_CASE(a_histogram_comes_back_as_it_was) {
  bench::histogram edges;
  edges.add(0, 1);
  edges.add(1, std::uint64_t{1} << 62);  // the longest number that there is
  edges.add(3, 63);
  edges.add(4, 64);
  edges.add(bench::histogram::buckets - 1, 8191);
  for (const auto& times : {bench::histogram{}, lognormal(1), lognormal(50'000), edges}) {
    const auto back = bench::hdr_decoded(bench::hdr_encoded(times));
    BOOST_TEST((back.counts() == times.counts()));
  }
}

BOOST_AUTO_TEST_CASE(even_latencies_all_over_the_place_take_less_than_three_kilobytes) {
  BOOST_TEST(bench::hdr_encoded(lognormal(30'000)).size() < 3000U);
}

BOOST_AUTO_TEST_CASE(the_word_begins_as_every_v2_histogram_does) {
  BOOST_TEST(bench::hdr_encoded({}).starts_with("HISTFAAAA"));
}

BOOST_AUTO_TEST_CASE(what_is_no_histogram_is_refused_in_words) {
  const auto whole = bench::hdr_encoded(lognormal(1000));
  BOOST_TEST(refusal_of("HIST") == "it ends too early");
  BOOST_TEST(refusal_of("") == "it ends too early");
  BOOST_TEST(refusal_of("HISTF") == "its length is not that of base64");
  BOOST_TEST(refusal_of("HIST FAA") == "it is not base64");
  BOOST_TEST(refusal_of("AAAAAAAAAAAA") == "it is not in the V2 encoding");
  BOOST_TEST(refusal_of(whole.substr(0, whole.size() - 8)) == "its length is not as it says");
  auto broken = whole;
  broken[40] = broken[40] == 'A' ? 'B' : 'A';
  BOOST_TEST(refusal_of(broken) == "what it holds cannot be decompressed");
  // As another program wrote it, with three significant digits.
  BOOST_TEST(refusal_of("HISTFAAAACR4nJNpmSzMwMDAxMDAwMjAwMDMAAGMYJLfyQHG52QCADs+Aes=") ==
             "its buckets are not those used here");
}

// --- the files

BOOST_AUTO_TEST_CASE(the_log_has_a_line_for_every_kept_histogram_and_names_what_it_is) {
  const auto log = bench::latency_log(synthetic_run({.rounds = 6}));
  BOOST_TEST(log.starts_with("#[Logged by echobench"));
  BOOST_TEST(count(log, "#[Histogram log format version 1.3]\n") == 1U);
  BOOST_TEST(count(log, "#[StartTime: 1769862896.000 (seconds since epoch)") == 1U);
  BOOST_TEST(count(log, "\nTag=fibers/epoll@c64/512,") == 2U * 6);
  BOOST_TEST(count(log, "\nTag=fibers/epoll@c64/512/r50%:response,") == 2U * 6);
  BOOST_TEST(count(log, "\nTag=fibers/epoll@c64/512/r50%:service,") == 2U * 6);
  BOOST_TEST(count(log, "\nTag=") == 6U * (6 * 4 + 2 * 4));
  BOOST_TEST(count(log, "floor") == 0U);  // never loaded alone
}

BOOST_AUTO_TEST_CASE(a_tag_holds_neither_comma_nor_blank) {
  auto record = synthetic_run({.rounds = 1});
  for (auto& block : record.blocks)
    for (auto& slice : block.slices) slice.server = "my server, \"mine\"";
  BOOST_TEST(count(bench::latency_log(record), "\nTag=my_server__\"mine\"@c1/64,") == 8U);
}

BOOST_AUTO_TEST_CASE(a_table_is_one_of_hdrhistogram_in_milliseconds_and_says_which_loop) {
  const auto tables = bench::percentile_tables(synthetic_run({.rounds = 1}));
  const auto& closed = tables.at("c64-512_fibers-epoll.hgrm");
  BOOST_TEST(closed.starts_with("       Value     Percentile TotalCount 1/(1-Percentile)\n\n"));
  BOOST_TEST(count(closed, " 1.000000000000       2000\n#[Mean    = ") == 1U);
  BOOST_TEST(count(closed, "Total count    =         2000]\n") == 1U);
  BOOST_TEST(count(closed, "#[Buckets =           33, SubBuckets     =          256]\n") == 1U);
  BOOST_TEST(closed.ends_with("#[fibers/epoll on c64/512, closed loop; milliseconds]\n"));
  BOOST_TEST(tables.at("c64-512-r50pct_fibers-epoll_response.hgrm")
                 .ends_with(", open loop, from when a message was due; milliseconds]\n"));
}

BOOST_AUTO_TEST_CASE(servers_whose_names_look_alike_keep_a_table_each) {
  auto record = synthetic_run({.rounds = 1, .open_loop = false});
  for (auto& block : record.blocks)
    for (auto& slice : block.slices) slice.server = slice.launch == 1 ? "mine/epoll" : "mine-epoll";
  const auto tables = bench::percentile_tables(record);
  BOOST_TEST(tables.size() == 6U);
  BOOST_TEST(tables.contains("c64-512_mine-epoll.hgrm"));
  BOOST_TEST(tables.contains("c64-512_mine-epoll+.hgrm"));
}

BOOST_AUTO_TEST_CASE(control_blocks_are_in_no_file) {
  auto record = synthetic_run({.rounds = 1});
  for (auto& block : record.blocks) block.control = true;
  BOOST_TEST(bench::latency_log(record).empty());
  BOOST_TEST(bench::percentile_tables(record).empty());
}
