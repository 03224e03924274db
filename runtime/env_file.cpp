#include "connectors/sdk/diagnostic.hpp"
#include "runtime/environment.hpp"

#include <algorithm>
#include <cctype>

namespace millrace::runtime {

namespace {

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r");
  if (first == std::string_view::npos)
    return {};
  return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

bool is_name(std::string_view text) {
  return !text.empty() && std::isdigit(static_cast<unsigned char>(text.front())) == 0
         && std::ranges::all_of(text,
                                [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; });
}

std::string_view unquote(std::string_view value) {
  const bool quoted = value.size() >= 2 && value.front() == value.back()
                      && (value.front() == '"' || value.front() == '\'');
  return quoted ? value.substr(1, value.size() - 2) : value;
}

}  // namespace

sdk::Result<std::map<std::string, std::string, std::less<>>>
parse_env_file(std::string_view text, const std::string& file) {
  std::map<std::string, std::string, std::less<>> variables;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = text.find('\n');
    std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty() || line.front() == '#')
      continue;
    if (line.starts_with("export "))
      line = trim(line.substr(7));
    const auto equals = line.find('=');
    const auto name = trim(line.substr(0, equals));
    if (equals == std::string_view::npos || !is_name(name))
      return sdk::Error{sdk::ErrorKind::config,
                        file + ":" + std::to_string(number) + ": this line is not NAME=value",
                        {.hint = "comments begin with #"}};
    variables.insert_or_assign(std::string{name},
                               std::string{unquote(trim(line.substr(equals + 1)))});
  }
  return variables;
}

}  // namespace millrace::runtime
