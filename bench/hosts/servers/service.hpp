// service: the other end of remote_servers, which is the program echobench_servers.
//
//     take_orders(STDIN_FILENO, STDOUT_FILENO);   // until nobody is there any more
#pragma once

#include <bench/hosts/servers/orders.hpp>

namespace bench {

// What take_orders() says first.
servers_hello introduce_this_host();

// Carries out the orders that come from `in`, and writes an answer to each into `out`. Returns when
// `in` ends; then all servers that it started have ended. This thread starts them, so they die with
// it.
void take_orders(int in, int out);

}  // namespace bench
