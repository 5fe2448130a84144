// keeper: a process that outlives this one by a moment, to end what it left behind.
//
//     keep_after_us(group);     // from now on nothing of this process group survives echobench
//     forget(group);            // it has been ended in the ordinary way
//
// The kernel kills a server when echobench dies, but not what the server itself has started: a
// shell, a launcher or a pre-forking server would leave its children behind after kill -9.
#pragma once

#include <sys/types.h>

namespace bench {

void keep_after_us(pid_t group);
void forget(pid_t group);

}  // namespace bench
