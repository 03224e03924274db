// `millrace eval sql`.
#include "connectors/sdk/json.hpp"
#include "dsl/sql/eval.hpp"
#include "runtime/verbs.hpp"

#include <optional>

namespace millrace::runtime {

ExitCode execute(const EvalSqlOptions& options, Console& console) {
  std::optional<sdk::Value> parameters;
  if (!options.parameters.empty()) {
    auto read = sdk::parse_json(options.parameters);
    if (!read || !(read->is_array() || read->is_object())) {
      console.complain("--parameters: "
                         + (read ? "neither a list nor an object" : read.error().message()),
                       "write a JSON list, '[1, \"a\"]', or an object for :name, '{\"id\": 1}'");
      return ExitCode::failed;
    }
    parameters = std::move(*read);
  }
  const auto evaluated = dsl::eval_sql(options.text, parameters);
  if (!evaluated) {
    console.complain(evaluated.error());
    return ExitCode::failed;
  }
  console.print(
    sdk::to_json(sdk::Value::object({{"sql", evaluated->sql}, {"binds", evaluated->binds}}))
    + "\n");
  return ExitCode::ok;
}

}  // namespace millrace::runtime
