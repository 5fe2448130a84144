// failure_form: maps a load_failure to JSON. Only files that write or read JSON include this
// header.
#pragma once

#include <bench/load/outcome.hpp>
#include <bench/text/described_json.hpp>

namespace bench {

BOOST_DESCRIBE_ENUM(load_error, wrong_reply, connection_lost, no_answer, cannot_connect, other)
BOOST_DESCRIBE_STRUCT(load_failure, (), (kind, text))

}  // namespace bench
