// keeper: a process that outlives echobench and kills what echobench left behind.
//
//     keep_after_us(group);     // no process of this group survives echobench
//     forget(group);            // the group has ended in the ordinary way
//
// PR_SET_PDEATHSIG kills a server when echobench dies, but not the processes that the server has
// started. Without the keeper, kill -9 would leave behind the children of a shell, of a launcher or
// of a pre-forking server.
#pragma once

#include <sys/types.h>

namespace bench {

void keep_after_us(pid_t group);
void forget(pid_t group);

}  // namespace bench
