#include "connectors/http/routes.hpp"

#include <algorithm>

namespace millrace::http {
namespace {

sdk::Error bad_path(std::string message) {
  return {sdk::ErrorKind::config, std::move(message), {.hint = "for example /orders/{id}"}};
}

bool is_name(std::string_view text) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !text.empty() && is_letter(text.front()) && std::ranges::all_of(text, [&](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '-';
  });
}

}  // namespace

sdk::Result<PathPattern> parse_path(std::string_view path) {
  if (!path.starts_with('/'))
    return bad_path("a path begins with a slash");
  if (path.find_first_of("?#") != std::string_view::npos)
    return bad_path("a path has no query; '$.<step>.query' gives it");
  PathPattern pattern;
  for (std::size_t at = 1; at <= path.size();) {
    const auto end = std::min(path.find('/', at), path.size());
    const auto text = path.substr(at, end - at);
    at = end + 1;
    if (text.find_first_of("{}") == std::string_view::npos) {
      pattern.push_back({std::string{text}, false});
      continue;
    }
    const auto name = text.size() < 2 ? text : text.substr(1, text.size() - 2);
    if (!text.starts_with('{') || !text.ends_with('}') || !is_name(name))
      return bad_path("a parameter is a whole segment of letters, digits, '_' and '-' in braces");
    if (std::ranges::any_of(pattern, [&](const auto& segment) {
          return segment.is_parameter && segment.text == name;
        }))
      return bad_path("the parameter '" + std::string{name} + "' comes twice");
    pattern.push_back({std::string{name}, true});
  }
  return pattern;
}

std::string shape_of(const PathPattern& pattern) {
  std::string shape;
  for (const auto& segment : pattern)
    shape += "/" + (segment.is_parameter ? std::string{"{}"} : segment.text);
  return shape;
}

void RouteTable::add(const PathPattern& pattern, const std::string& method, PortPtr port) {
  auto* node = &root_;
  for (const auto& segment : pattern) {
    auto& next = segment.is_parameter ? node->parameter : node->literals[segment.text];
    if (!next)
      next = std::make_unique<Node>();
    node = next.get();
  }
  node->methods[method] = {pattern, std::move(port)};
}

const RouteTable::Node* RouteTable::walk(const Node& node, const std::vector<std::string>& segments,
                                         std::size_t depth) {
  if (depth == segments.size())
    return node.methods.empty() ? nullptr : &node;
  if (const auto next = node.literals.find(segments[depth]); next != node.literals.end()) {
    if (const auto* found = walk(*next->second, segments, depth + 1))
      return found;
  }
  // An empty segment is no value of a parameter.
  return node.parameter && !segments[depth].empty() ? walk(*node.parameter, segments, depth + 1)
                                                    : nullptr;
}

RouteTable::Match RouteTable::find(const std::vector<std::string>& segments,
                                   std::string_view method) const {
  const auto* node = walk(root_, segments, 0);
  if (!node)
    return {};
  Match match;
  auto route = node->methods.find(method);
  if (route == node->methods.end() && method == "HEAD")
    route = node->methods.find("GET");
  if (route != node->methods.end()) {
    match.port = route->second.port;
    match.params = sdk::Value::object();
    const auto& pattern = route->second.pattern;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
      if (pattern[i].is_parameter)
        match.params.set(pattern[i].text, sdk::Value{segments[i]});
    }
    return match;
  }
  for (const auto& [name, one] : node->methods)
    match.allowed += name + ", ";
  if (node->methods.contains("GET") && !node->methods.contains("HEAD"))
    match.allowed += "HEAD, ";
  match.allowed += "OPTIONS";
  return match;
}

}  // namespace millrace::http
