// Replaces the bundle if there is no Node.js or if its packages could not be fetched.
#include <bench/report/page/script.hpp>

namespace bench {

page_script bundled_script() {
  return {{}, {}, {}, "this was built without Node.js"};
}

}  // namespace bench
