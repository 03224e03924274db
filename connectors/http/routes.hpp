// Routes: which pipeline a request goes to, by its path and method.
//
//   RouteTable table;
//   table.add(*parse_path("/orders/{id}"), "GET", handler);
//   const auto match = table.find({"orders", "7"}, "GET");   // match.handler, params {"id": "7"}
#pragma once

#include "connectors/sdk/result.hpp"
#include "connectors/sdk/value.hpp"

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace millrace::http {

class Port;
using PortPtr = std::shared_ptr<Port>;

/// One segment of a path: a literal, or the name of a parameter.
struct PathSegment {
  std::string text;
  bool is_parameter = false;
};

using PathPattern = std::vector<PathSegment>;

/// @returns kind `config` for a path that does not begin with a slash, a broken `{name}`, or a name
/// that comes twice.
sdk::Result<PathPattern> parse_path(std::string_view path);

/// Patterns of the same shape match the same paths: "/a/{}".
std::string shape_of(const PathPattern& pattern);

/// Found by a walk over the path's segments, whatever the number of routes. A literal wins over a
/// parameter. Immutable once it is shared.
class RouteTable {
public:
  struct Match {
    PortPtr port;         // null: none of that method
    sdk::Value params;    // an object
    std::string allowed;  // "GET, HEAD, OPTIONS": empty where no route has that path
  };

  void add(const PathPattern& pattern, const std::string& method, PortPtr port);

  /// HEAD finds the route of GET where it has none of its own.
  Match find(const std::vector<std::string>& segments, std::string_view method) const;

private:
  struct Route {
    PathPattern pattern;
    PortPtr port;
  };

  struct Node {
    std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
    std::unique_ptr<Node> parameter;
    std::map<std::string, Route, std::less<>> methods;
  };

  static const Node* walk(const Node& node, const std::vector<std::string>& segments,
                          std::size_t depth);

  Node root_;
};

}  // namespace millrace::http
