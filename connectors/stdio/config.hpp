// The options of `type: stdin` and `type: stdout`.
#pragma once

#include "connectors/sdk/config_reader.hpp"
#include "connectors/sdk/expression.hpp"
#include "connectors/sdk/format/format.hpp"

namespace millrace::stdio {

struct StdoutConfig {
  sdk::ExpressionPtr value;  // null: the last output
  sdk::WriteFormat format;
  bool table = false;  // for people; `format` means nothing then
};

void read_config(sdk::ConfigReader& in, StdoutConfig& out);

}  // namespace millrace::stdio
