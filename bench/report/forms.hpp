// forms: one function per form of report. Each returns the complete report as a text.
#pragma once

#include <bench/analysis/analysis.hpp>
#include <bench/record/record.hpp>
#include <bench/report/page/script.hpp>
#include <bench/report/report.hpp>
#include <bench/report/table.hpp>
#include <string>
#include <string_view>

namespace bench {

std::string json_report(const run_header& header, const results& found);
std::string csv_report(const run_header& header, const results& found);
std::string markdown_report(const run_header& header, const results& found);
std::string html_report(const run_header& header, const results& found,
                        const page_script& script = bundled_script());
std::string github_action_report(const results& found);
std::string terminal_report(const run_header& header, const results& found, const style& given);

// What fits on a screen: the plots, the caveats, and the answers last. Of a run that knows no CPU
// this is terminal_report().
std::string terminal_summary(const run_header& header, const results& found, const style& given);

// Text that Markdown shows as it is, although names come from command lines: HTML, emphasis and
// code spans in it have no effect. The second is a code span around any text without a line feed.
std::string markdown_text(std::string_view text);
std::string markdown_code(std::string_view text);

// One table with its header. Empty if the table has no rows.
std::string markdown_table(const table& shown);
std::string terminal_table(const table& shown, const style& on);

// The forest plots only, for a run that still goes on: whole plots, in at most `lines` lines.
std::string forest_text(const results& found, const style& given, int lines);

}  // namespace bench
