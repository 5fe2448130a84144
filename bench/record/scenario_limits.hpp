// scenario limits: the least and the most of what a scenario may hold.
#pragma once

namespace bench {

inline constexpr int max_connections = 100'000;
inline constexpr int min_message_bytes = 16;  // a message begins with 16 characters that name it
inline constexpr int max_message_bytes = 1024 * 1024;
inline constexpr int max_depth = 1024;

}  // namespace bench
