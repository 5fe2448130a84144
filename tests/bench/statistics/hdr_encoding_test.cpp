// Histograms in the V2 encoding of HdrHistogram: decoding is the inverse of encoding, and names the
// reason if it refuses a text.
#include <bench/statistics/hdr_encoding.hpp>

#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <random>
#include <stdexcept>
#include <string>

namespace {

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

BOOST_AUTO_TEST_CASE(a_histogram_comes_back_as_it_was) {
  bench::histogram edges;
  edges.add(0, 1);
  edges.add(1, std::uint64_t{1} << 62);  // the longest encoding of a count
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
  // A valid histogram with three significant digits, from another implementation.
  BOOST_TEST(refusal_of("HISTFAAAACR4nJNpmSzMwMDAxMDAwMjAwMDMAAGMYJLfyQHG52QCADs+Aes=") ==
             "its buckets are not those used here");
}

BOOST_AUTO_TEST_CASE(a_histogram_that_counts_more_than_can_be_counted_is_refused) {
  bench::histogram times;
  times.add(1, std::uint64_t{1} << 62);
  times.add(2, std::uint64_t{1} << 62);
  BOOST_TEST(refusal_of(bench::hdr_encoded(times)) == "it counts more than can be counted");
}
