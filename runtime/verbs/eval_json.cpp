// `millrace eval jsonpath` and `millrace eval expr`: over one JSON document.
#include "connectors/sdk/json.hpp"
#include "dsl/expression/eval.hpp"
#include "dsl/expression/jsonpath.hpp"
#include "runtime/verbs.hpp"

#include <optional>
#include <string>

namespace millrace::runtime {

namespace {

/// The document in a file or on stdin; where there is none, `code` says why.
std::optional<sdk::Value> read_document(const std::string& file, Console& console, ExitCode& code) {
  const auto text = read_all(file);
  if (!text) {
    console.complain(text.error());
    code = ExitCode::io;
    return std::nullopt;
  }
  auto document = sdk::parse_json(*text);
  if (!document) {
    console.complain(document.error());
    code = ExitCode::failed;
    return std::nullopt;
  }
  return std::move(*document);
}

ExitCode print(const sdk::Result<sdk::Value>& found, Console& console) {
  if (!found) {
    console.complain(found.error());
    return ExitCode::failed;
  }
  console.print(sdk::to_json(*found) + "\n");
  return ExitCode::ok;
}

}  // namespace

ExitCode execute(const EvalJsonpathOptions& options, Console& console) {
  // The path first: where it is wrong, nobody should have to type a document.
  if (const auto path = dsl::JsonPath::parse(options.path, {.strict = options.strict}); !path) {
    console.complain(path.error());
    return ExitCode::failed;
  }
  ExitCode code = ExitCode::ok;
  const auto document = read_document(options.file, console, code);
  if (!document)
    return code;
  return print(
    dsl::eval_jsonpath(options.path, *document, {.paths = options.paths, .strict = options.strict}),
    console);
}

ExitCode execute(const EvalExprOptions& options, Console& console) {
  ExitCode code = ExitCode::ok;
  const auto document = read_document(options.file, console, code);
  return document ? print(dsl::eval_expression(options.text, *document), console) : code;
}

}  // namespace millrace::runtime
