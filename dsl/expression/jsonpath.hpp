// JsonPath: a path of RFC 9535, read and checked once, run over any value.
//
//   auto path = JsonPath::parse("$.lines[?@.price > 10].sku");
//   if (!path) return path.error();                  // "column 9: expected …"
//   std::vector<const Value*> nodes;
//   auto status = path->select(order, nodes);        // pointers into `order`
//
// Beyond the RFC, `-` may stand inside shorthand names, since the names of steps have it
// (`$.receive-orders.id`); `strict` refuses that.
#pragma once

#include "connectors/sdk/result.hpp"
#include "connectors/sdk/value.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::dsl {

namespace jsonpath {
struct Query;
}

struct JsonPathOptions {
  bool strict = false;
};

/// Immutable, cheap to copy, thread-safe.
class JsonPath {
public:
  /// @returns kind `config` with the column (in bytes, from 1) and the reason. Every path that
  /// parses is well-typed.
  static sdk::Result<JsonPath> parse(std::string_view text, JsonPathOptions options = {});

  /// Appends the nodes, in the order of the RFC; duplicates stay.
  /// @returns kind `expression` where the path would look at more than 10 million values.
  sdk::Status select(const sdk::Value& root, std::vector<const sdk::Value*>& out) const;

  /// The normalized paths of the nodes: `$['lines'][0]['sku']`.
  sdk::Result<std::vector<std::string>> select_paths(const sdk::Value& root) const;

  /// Whether it consists of names and indexes alone, so that it selects at most one node.
  bool is_singular() const noexcept;

  const std::string& text() const noexcept { return text_; }

private:
  JsonPath(std::string text, std::shared_ptr<const jsonpath::Query> query)
    : text_{std::move(text)}, query_{std::move(query)} {}

  std::string text_;
  std::shared_ptr<const jsonpath::Query> query_;
};

}  // namespace millrace::dsl
