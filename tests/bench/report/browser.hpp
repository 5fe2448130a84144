// browser: shows the HTML report in headless Chromium.
//
//     browser chromium;                                 // BOOST_FIXTURE_TEST_SUITE(page, browser)
//     auto shown = chromium.show(page_of(record));      // .document: after its scripts ran
//     auto looks = chromium.look_at(frames, script);    // .said: the script's lines per frame
//     auto pdf = chromium.print(page_of(record));       // a PDF with an outline of its headings
//
// Chromium takes seconds to start, so a test case shows as many pages per start as it can.
#pragma once

#include <unistd.h>
#include <bench/analysis/analysis.hpp>
#include <bench/report/forms.hpp>
#include <bench/report/page/script.hpp>

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>
#include <sstream>
#include <string>
#include <vector>

#include <tests/child_process.hpp>
#include <tests/scratch_folder.hpp>

inline std::string find_browser() {
  for (const auto* each : {"/usr/bin/chromium", "/usr/bin/chromium-browser",
                           "/usr/bin/google-chrome", "/snap/bin/chromium"})
    if (access(each, X_OK) == 0) return each;
  return {};
}

struct shown_page {
  std::string document;    // after the scripts ran
  std::string complaints;  // messages on the page's console
  std::string network;     // the log of --log-net-log
};

// A page in a frame, because a window cannot be as narrow as the screen of a phone.
struct framed_page {
  std::string html;
  int width = 1280;  // in CSS pixels
};

struct looks {
  std::vector<std::string> said;  // for each frame, the lines of the script
  std::string complaints;
};

struct browser {
  const scratch_folder folder;

  // `fragment`: what follows the page's address, such as #row-memory-fibers-epoll.
  shown_page show(const std::string& html, const std::vector<std::string>& options = {},
                  const std::string& fragment = {}) const {
    auto all = options;
    all.push_back("--dump-dom");
    const auto ended = open(html, all, fragment);
    return {ended.output, complaints_in(ended.errors), folder.read("network.json")};
  }

  // The script defines look(window, say), which reports each line with say(line).
  looks look_at(const std::vector<framed_page>& frames, std::string_view script,
                const std::vector<std::string>& options = {}) const {
    const auto shown = show(around(frames, script), options);
    std::vector<std::string> said;
    for (auto at = shown.document.find("<pre>"); at != std::string::npos;
         at = shown.document.find("<pre>", at + 1))
      said.push_back(shown.document.substr(at + 5, shown.document.find("</pre>", at) - at - 5));
    BOOST_REQUIRE(said.size() == frames.size());
    return {said, shown.complaints};
  }

  std::string print(const std::string& html) const {
    open(html, {"--print-to-pdf=" + (folder / "report.pdf").string(),
                "--generate-pdf-document-outline", "--no-pdf-header-footer"});
    return folder.read("report.pdf");
  }

 private:
  ended_process open(const std::string& html, const std::vector<std::string>& options,
                     const std::string& fragment = {}) const {
    const auto page = folder.write("report.html", html);
    std::vector<std::string> command{"/usr/bin/timeout",
                                     "--kill-after=5",
                                     "100",
                                     find_browser(),
                                     "--headless",
                                     "--no-sandbox",
                                     "--disable-gpu",
                                     "--disable-quic",
                                     "--no-first-run",
                                     "--disable-background-networking",
                                     "--disable-component-update",
                                     "--disable-sync",
                                     "--disable-dev-shm-usage",
                                     "--window-size=1280,900",
                                     "--enable-logging=stderr",
                                     "--user-data-dir=" + (folder / "profile").string(),
                                     "--log-net-log=" + (folder / "network.json").string()};
    command.insert(command.end(), options.begin(), options.end());
    command.push_back("file://" + page.string() + fragment);
    auto ended = run_program(command);
    BOOST_REQUIRE(ended.exit_code == 0);
    return ended;
  }

  // A page that contains the other pages as data, opens each in a frame and calls look() on it.
  static std::string around(const std::vector<framed_page>& frames, std::string_view script) {
    boost::json::array all;
    for (const auto& [html, width] : frames) all.push_back({{"html", html}, {"width", width}});
    std::string data;
    for (const char each : boost::json::serialize(all))
      data += each == '<' ? std::string{"\\u003c"} : std::string(1, each);
    return "<!doctype html><meta charset=\"utf-8\"><body>"
           "<script type=\"application/json\" id=\"frames\">" +
           data + "</script><script>" + std::string{script} + R"js(
const frames = JSON.parse(document.getElementById("frames").textContent);
const said = frames.map(() => []);
let unseen = frames.length;
frames.forEach(({html, width}, index) => {
  const frame = document.createElement("iframe");
  frame.style = `width: ${width}px; height: 900px; border: 0`;
  frame.onload = () => {
    look(frame.contentWindow, (line) => said[index].push(line));
    if (--unseen > 0) return;
    document.body.replaceChildren(...said.map((lines) => {
      const pre = document.createElement("pre");
      pre.textContent = lines.join("\n");
      return pre;
    }));
  };
  frame.srcdoc = html;
  document.body.append(frame);
});
</script>)js";
  }

  static std::string complaints_in(const std::string& errors) {
    std::string found;
    std::istringstream in{errors};
    for (std::string line; std::getline(in, line);)
      if (line.find("CONSOLE") != std::string::npos) found += line + '\n';
    return found;
  }
};

inline std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size()))
    ++found;
  return found;
}

inline std::string page_of(const bench::run_record& record) {
  return bench::html_report(record.header, bench::analyse(record));
}

inline bool has_charts() {
  return !bench::bundled_script().parts.empty();
}

// A precondition: skips the test case and prints the reason.
inline boost::test_tools::assertion_result charts_are_there(boost::unit_test::test_unit_id) {
  boost::test_tools::assertion_result yes{has_charts()};
  yes.message() << "the page was built without its charts";
  return yes;
}
