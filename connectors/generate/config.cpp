#include "connectors/generate/config.hpp"

namespace millrace::generate {

void read_config(sdk::ConfigReader& in, GenerateConfig& out) {
  in.optional("count", out.count, "How many records; default: without end");
  in.optional("rate", out.rate, "How many in a time, as 100/s; default: as fast as they are taken");
  in.check(!out.rate || out.rate->per_second > 0, "rate", "more than 0/s");
  in.expressions("set", out.set,
                 "Members of each record; default: {n: 0}, {n: 1}, …; expressions find that n in "
                 "this step's own output");
}

}  // namespace millrace::generate
