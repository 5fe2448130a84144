// The layout and the colours of the page, measured in frames as wide as a phone, a sheet of paper
// and a window, in the light and in the dark colour scheme.
#include <map>

#include <tests/bench/part_load_run.hpp>
#include <tests/bench/report/browser.hpp>
#include <tests/bench/synthetic_run.hpp>
#include <tests/bench/with_hosts.hpp>

namespace {

// Opens all tables. Reports one line per defect, and the facts that `inspected` collects.
constexpr std::string_view inspection = R"js(
const box = (element) => element.getBoundingClientRect();

function wordsOf(element) {
  const words = element.ownerDocument.createRange();
  words.selectNodeContents(element);
  return element.closest("svg") ? element : words;
}

// An element that has words of its own and is seen; the heads of tables that a telephone has no
// room for are read aloud only.
const speaks = (element, style) => box(wordsOf(element)).width > 0 && !(element.closest("thead") && style(element.closest("thead")).clipPath !== "none") && [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());

function numbers(color) {
  return color.match(/[\d.]+/g).map(Number);
}
function brightness(color) {
  const [r, g, b] = numbers(color).map((part) => (part / 255 <= 0.03928 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
function contrast(one, other) {
  const [dark, light] = [brightness(one), brightness(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}
function behind(element, style) {
  const color = style(element).backgroundColor;
  const [, , , alpha = 1] = numbers(color);
  return alpha === 1 || !element.parentElement ? color : behind(element.parentElement, style);
}

function inspect({document: page, innerWidth, getComputedStyle: style}, say) {
  page.querySelectorAll("details").forEach((each) => { each.open = true; });
  if (page.documentElement.scrollWidth > innerWidth) say(`scrolls: ${page.documentElement.scrollWidth} of ${innerWidth}`);
  for (const element of page.body.querySelectorAll("*")) {
    if (!speaks(element, style)) continue;
    const {left, right} = box(wordsOf(element));
    if (left < -1 || right > innerWidth + 1) say(`outside: ${element.textContent}`);
    const found = contrast(element.closest("svg") ? style(element).fill : style(element).color, behind(element, style));
    if (found < 4.5) say(`faint, ${found.toFixed(1)}: ${element.textContent}`);
  }
  for (const svg of page.querySelectorAll("svg")) {
    const texts = [...svg.querySelectorAll("text")].filter((text) => box(text).width > 0);
    texts.forEach((one, i) => texts.slice(i + 1).forEach((other) => {
      const [a, b] = [box(one), box(other)];
      const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (across > 1 && down > 4) say(`overlap: ${one.textContent} / ${other.textContent}`);
    }));
  }
  say(`paper: ${style(page.body).backgroundColor}`);
}

// The line of 1.00 in each chart of ratios.
function alignment({document: page}, say) {
  const places = [...page.querySelectorAll("svg .one line")].map((line) => box(line).left);
  say(`lines of 1.00: ${places.length}`);
  if (Math.max(...places) - Math.min(...places) > 1) say(`not under each other: ${places.join(" ")}`);
}

// Of a page as it opens, what a reader sees without scrolling.
function firstScreen({document: page, innerHeight}, say) {
  const parts = ["h1", "main svg", ".card", ".contents"].map((each) => page.querySelector(each));
  say(`parts on the first screen: ${parts.filter((each) => each && box(each).bottom <= innerHeight).length}`);
}

// Widths of the charts now, when it is printed, and afterwards.
function print(window, say) {
  const widths = () => [...window.document.querySelectorAll("figure:not(.small) svg")].map((svg) => svg.getAttribute("width"));
  const most = () => Math.max(0, ...widths());
  say(`widest: ${most()}`);
  window.dispatchEvent(new Event("beforeprint"));
  say(`widest on paper: ${most()}`);
  window.dispatchEvent(new Event("afterprint"));
  say(`widest afterwards: ${most()}`);
}

function look(window, say) {
  firstScreen(window, say);
  alignment(window, say);
  print(window, say);
  inspect(window, say);
}
)js";

struct inspected {
  std::string complaints;
  std::map<std::string, std::string> facts;

  explicit inspected(const std::string& said) {
    std::istringstream lines{said};
    for (std::string line; std::getline(lines, line);) {
      const auto colon = line.find(": ");
      const auto key = line.substr(0, colon);
      if (key == "paper" || key.starts_with("widest") || key.starts_with("parts") ||
          key.starts_with("lines"))
        facts[key] = line.substr(colon + 2);
      else
        complaints += line + '\n';
    }
  }
};

// A run with as many rows as one of the default suite, and with servers that have long names.
bench::run_record default_run() {
  auto record = synthetic_run();
  const auto once = record.blocks;
  for (const auto* extra : {"c16/64/d16", "c16/16K", "c1024/64", "c16/64", "c64/64+10000idle"})
    for (auto block : once) {
      if (block.control || block.scenario.connections != 64 || block.scenario.open_loop()) continue;
      block.scenario = bench::scenario::parse(extra);
      record.blocks.push_back(block);
    }
  record.memory.push_back({"a-server-of-somebody-else/its-own-reactor", 16, 4000});
  record.memory.push_back({"a-server-of-somebody-else/its-own-reactor", 256, 5000});
  record.memory.push_back({"another-server-of-somebody-else/its-own-reactor", 16, 3000});
  record.memory.push_back({"another-server-of-somebody-else/its-own-reactor", 1024, 9000});
  return record;
}

const std::string in_the_dark = "--blink-settings=preferredColorScheme=0";
const std::string in_the_light = "--blink-settings=preferredColorScheme=1";

}  // namespace

BOOST_FIXTURE_TEST_SUITE(page_look, browser)

BOOST_AUTO_TEST_CASE(
    in_the_light_it_is_white_and_nothing_is_cut_off_lies_over_another_or_is_faint) {
  const auto html = page_of(default_run());
  const std::vector<framed_page> frames{{html, 390}, {html, 680}, {html, 1280}};
  const auto found = look_at(frames, inspection, {in_the_light}).said;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    BOOST_TEST_CONTEXT(frames[i].width << " pixels wide") {
      const inspected look{found[i]};
      BOOST_TEST(look.complaints == "");
      BOOST_TEST(look.facts.at("paper") == "rgb(255, 255, 255)");
      if (!has_charts()) continue;
      BOOST_TEST(look.facts.at("lines of 1.00") == "3");  // two pairs and the control
      if (frames[i].width > 1000) BOOST_TEST(look.facts.at("parts on the first screen") == "4");
    }
  }
}

BOOST_AUTO_TEST_CASE(curves_of_rates_can_be_read_on_a_phone_and_in_a_window) {
  const auto html = page_of(part_load_run());
  for (const auto& said : look_at({{html, 390}, {html, 1280}}, inspection, {in_the_dark}).said)
    BOOST_TEST(inspected{said}.complaints == "");
}

BOOST_AUTO_TEST_CASE(strips_of_hosts_can_be_read_on_a_phone_and_in_a_window) {
  auto record = with_hosts(with_target(synthetic_run({.rounds = 3, .select_too = false})));
  const std::string longer = "load-generator-17.rack-4.example";
  record.header.hosts->back().name = longer;
  record.header.servers_on = "server-1.rack-4.example";
  for_each_share(record, "c", [&](auto& share) { share.host = longer; });
  for_each_share(record, "b", [](auto& share) { share.messages /= 2; });
  const auto html = page_of(record);
  for (const auto& theme : {in_the_dark, in_the_light})
    for (const auto& said :
         look_at({{html, 390}, {html, 680}, {html, 1280}}, inspection, {theme}).said)
      BOOST_TEST(inspected{said}.complaints == "");
}

BOOST_AUTO_TEST_CASE(in_the_dark_the_page_is_dark_and_every_word_can_be_read) {
  const inspected found{look_at({{page_of(synthetic_run())}}, inspection, {in_the_dark}).said[0]};
  BOOST_TEST(found.facts.at("paper") == "rgb(20, 23, 27)");
  BOOST_TEST(found.complaints == "");
}

BOOST_AUTO_TEST_CASE(charts_are_drawn_for_the_paper_and_then_for_the_window_again,
                     *boost::unit_test::precondition(charts_are_there)) {
  const auto facts = inspected{look_at({{page_of(synthetic_run())}}, inspection).said[0]}.facts;
  BOOST_TEST(std::stoi(facts.at("widest")) > 1000);
  BOOST_TEST(facts.at("widest on paper") == "680");
  BOOST_TEST(facts.at("widest afterwards") == facts.at("widest"));
}

BOOST_AUTO_TEST_CASE(what_looks_bad_is_found_out) {
  const std::string html =
      "<body style='background: #fff'><p style='width: 500px'>wide</p>"
      "<p style='color: #aaa'>pale</p><p style='margin-left: 380px; white-space: nowrap'>beyond</p>"
      "<svg><text x='9' y='20'>one word</text><text x='30' y='22'>another</text></svg>"
      "<script>console.error('a complaint')</script>";
  const auto seen = look_at({{html, 390}}, inspection);
  BOOST_TEST(seen.complaints.find("a complaint") != std::string::npos);
  const inspected found{seen.said[0]};
  for (const auto* each :
       {"scrolls: ", "outside: beyond", "faint, 2.3: pale", "overlap: one word / another"})
    BOOST_TEST(found.complaints.find(each) != std::string::npos, each);
}

BOOST_AUTO_TEST_CASE(on_paper_stands_every_section) {
  const auto pdf = print(page_of(synthetic_run()));
  BOOST_REQUIRE(pdf.starts_with("%PDF"));
  for (const auto* title :
       {"Can I believe this?", "What the run says about itself", "Cost per message", "Throughput",
        "Latency by percentile, closed loop", "Latency by percentile, open loop",
        "Memory over connections", "Every block over time", "Environment and commands"})
    BOOST_TEST(count(pdf, "/Title (" + std::string{title} + ")") == 1U, title);
  BOOST_TEST(count(pdf, "/Title (Licences)") ==
             0U);  // the licences belong to the file, not to the run
}

BOOST_AUTO_TEST_CASE(a_default_runs_page_stays_below_350_kilobytes) {
  const auto record = default_run();
  BOOST_TEST(bench::analyse(record).costs.size() == 16U);
  BOOST_TEST(page_of(record).size() < 350'000U);
}

BOOST_AUTO_TEST_SUITE_END()
