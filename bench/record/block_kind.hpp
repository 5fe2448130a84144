// block_kind: how the servers of a block are loaded, which decides what the block can show.
#pragma once

namespace bench {

enum class block_kind {
  duet,       // all servers at once, on one CPU: decides CPU per message
  exclusive,  // one server at a time, ABBA or BAAB: throughput and latency
  open_loop,  // one at a time, at a fixed rate: latency without coordinated omission
};

}  // namespace bench
