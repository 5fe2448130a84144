// block kind: how the servers of a block are loaded, which decides what the block can say.
#pragma once

namespace bench {

enum class block_kind {
  duet,       // all servers of the comparison loaded at once, sharing a core: decides cost
  exclusive,  // one loaded at a time, ABBA or BAAB: throughput and latency
  open_loop,  // the same at a fixed rate: how long those wait who come whether or not it keeps up
};

}  // namespace bench
