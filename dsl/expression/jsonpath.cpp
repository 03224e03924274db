#include "dsl/expression/jsonpath.hpp"

#include "dsl/expression/jsonpath_parser.hpp"
#include "dsl/expression/jsonpath_select.hpp"

namespace millrace::dsl {

sdk::Result<JsonPath> JsonPath::parse(std::string_view text, JsonPathOptions options) {
  TextCursor cursor{text};
  jsonpath::Parser parser{cursor, {.strict = options.strict}};
  auto query = std::make_shared<jsonpath::Query>();
  if (parser.query(*query) && !cursor.at_end())
    cursor.fail("expected '.', '[' or the end, found " + cursor.found());
  if (cursor.error())
    return sdk::Error{
      sdk::ErrorKind::config, cursor.error()->to_string(), {.hint = cursor.error()->hint}};
  return JsonPath{std::string{text}, std::move(query)};
}

sdk::Status JsonPath::select(const sdk::Value& root, std::vector<const sdk::Value*>& out) const {
  jsonpath::ValueRoot whole{root};
  jsonpath::Selection selection{whole};
  std::vector<jsonpath::Selection::Node> nodes;
  if (auto status = selection.select(*query_, nodes); !status)
    return status;
  out.reserve(out.size() + nodes.size());
  for (const auto& node : nodes)
    out.push_back(node.value);
  return {};
}

sdk::Result<std::vector<std::string>> JsonPath::select_paths(const sdk::Value& root) const {
  jsonpath::ValueRoot whole{root};
  jsonpath::Selection selection{whole, true};
  std::vector<jsonpath::Selection::Node> nodes;
  if (auto status = selection.select(*query_, nodes); !status)
    return status.error();
  std::vector<std::string> paths;
  paths.reserve(nodes.size());
  for (const auto& node : nodes)
    paths.push_back(selection.normalized_path(node.place));
  return paths;
}

bool JsonPath::is_singular() const noexcept {
  return query_->singular;
}

}  // namespace millrace::dsl
