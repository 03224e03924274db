// What the functions of expressions do; function_table.cpp names and documents them. Arguments were
// counted, but their kinds are checked here.
#pragma once

#include "connectors/sdk/clock.hpp"
#include "connectors/sdk/result.hpp"
#include "connectors/sdk/value.hpp"

#include <span>
#include <string>

namespace millrace::dsl::bodies {

using Arguments = std::span<const sdk::Value>;
using Answer = sdk::Result<sdk::Value>;

Answer currentdatetime(const sdk::Clock& clock, Arguments in);
Answer currentdate(const sdk::Clock& clock, Arguments in);
Answer dateadd(const sdk::Clock& clock, Arguments in);
Answer datediff(const sdk::Clock& clock, Arguments in);
Answer format(const sdk::Clock& clock, Arguments in);

Answer uuid(const sdk::Clock& clock, Arguments in);
Answer concat(const sdk::Clock& clock, Arguments in);
Answer coalesce(const sdk::Clock& clock, Arguments in);
Answer string(const sdk::Clock& clock, Arguments in);
Answer length(const sdk::Clock& clock, Arguments in);
Answer lower(const sdk::Clock& clock, Arguments in);
Answer upper(const sdk::Clock& clock, Arguments in);
Answer trim(const sdk::Clock& clock, Arguments in);
Answer sha256(const sdk::Clock& clock, Arguments in);

Answer number(const sdk::Clock& clock, Arguments in);
Answer sum(const sdk::Clock& clock, Arguments in);
Answer min(const sdk::Clock& clock, Arguments in);
Answer max(const sdk::Clock& clock, Arguments in);
Answer avg(const sdk::Clock& clock, Arguments in);
Answer count(const sdk::Clock& clock, Arguments in);

}  // namespace millrace::dsl::bodies

namespace millrace::dsl {

/// A value inside text: strings as they are, null as nothing, lists and objects as JSON.
void append_text(std::string& out, const sdk::Value& value);

}  // namespace millrace::dsl
