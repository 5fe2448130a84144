// words: what a newcomer reads in place of the short names.
//
//     load_words(scenario::parse("c64/512"));           // "64 connections of 512 bytes"
//     in_words("On c64/512, A is slower", found);        // the same sentence with those words
#pragma once

#include <bench/analysis/analysis.hpp>
#include <bench/record/scenario.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

std::string load_words(const scenario& load);

// Each load of the run once, in the order of its rows.
std::vector<scenario> loads_of(const results& found);

// Replaces the short name of each load of the run by its words.
std::string in_words(std::string_view sentence, const results& found);

// The words of the page with what they mean, and the loads of this run. HTML.
std::string glossary_html(const results& found);

}  // namespace bench
