// What a `securitySchemes:` entry may say.
#pragma once

#include "connectors/sdk/config_reader.hpp"
#include "connectors/sdk/server.hpp"

namespace millrace::dsl {

void read_scheme(sdk::ConfigReader& in, sdk::SecurityScheme& scheme);

}  // namespace millrace::dsl
