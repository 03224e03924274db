// Holds the layers of docs/architecture.md by reading every #include of the tree: no arrow points
// upwards, no connector knows another, and each client library has one place.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace fs = std::filesystem;
using testing::IsEmpty;

struct Include {
  std::string file;    // from the repository root
  std::string target;  // what stands between the quotes or angle brackets
  bool own = false;    // in quotes
};

std::string to_string(const Include& include) {
  return include.file + " includes " + include.target;
}

std::vector<Include> read_includes() {
  static const std::regex pattern{R"(^\s*#\s*include\s*([<"])([^>"]+)[>"])"};
  const fs::path root{MILLRACE_SOURCE_DIR};
  std::vector<Include> found;
  for (const auto* folder : {"connectors", "dsl", "actors", "runtime"}) {
    for (const auto& entry : fs::recursive_directory_iterator{root / folder}) {
      const auto extension = entry.path().extension();
      if (extension != ".hpp" && extension != ".cpp")
        continue;
      std::ifstream in{entry.path()};
      const std::string file = fs::relative(entry.path(), root).string();
      for (std::string line; std::getline(in, line);) {
        if (std::smatch match; std::regex_search(line, match, pattern))
          found.push_back({file, match[2], match[1] == "\""});
      }
    }
  }
  return found;
}

const std::vector<Include>& includes() {
  static const std::vector<Include> all = read_includes();
  return all;
}

/// "connectors/file", "dsl", "actors", "runtime": the part of the tree a path belongs to.
std::string layer_of(std::string_view path) {
  const auto slash = path.find('/');
  if (path.substr(0, slash) != "connectors")
    return std::string{path.substr(0, slash)};
  return std::string{path.substr(0, path.find('/', slash + 1))};
}

bool may_include(const std::string& from, const std::string& to) {
  if (from == to || from == "runtime")
    return true;
  if (from == "actors")
    return to == "dsl" || to == "connectors/sdk";
  if (from == "dsl" || from == "connectors/asio")
    return to == "connectors/sdk";
  if (from == "connectors/sdk")
    return false;
  return to == "connectors/sdk" || to == "connectors/asio";  // any other connector
}

TEST(LayersTest, SeesTheTree) {
  EXPECT_GT(includes().size(), 50u);
}

TEST(LayersTest, NoIncludePointsUpwardsOrSideways) {
  std::vector<std::string> offenders;
  for (const auto& include : includes()) {
    if (include.own && !may_include(layer_of(include.file), layer_of(include.target)))
      offenders.push_back(to_string(include));
  }
  EXPECT_THAT(offenders, IsEmpty());
}

TEST(LayersTest, OwnHeadersAreNamedFromTheRepositoryRoot) {
  std::vector<std::string> offenders;
  for (const auto& include : includes()) {
    // <millrace/….hpp> are what users of the installed libraries include.
    const auto root = fs::path{MILLRACE_SOURCE_DIR};
    if (include.own && !fs::exists(root / include.target)
        && !fs::exists(root / "runtime/library/include" / include.target))
      offenders.push_back(to_string(include));
  }
  EXPECT_THAT(offenders, IsEmpty());
}

TEST(LayersTest, EachLibraryIsIncludedWhereItBelongs) {
  // A library's headers, and the only files that may include them.
  const std::map<std::string, std::regex> homes{
    {"caf/", std::regex{"^actors/caf\\.hpp$"}},
    {"yaml-cpp/", std::regex{"^dsl/(.*/)?yaml_reader\\.cpp$"}},
    {"libpq", std::regex{"^connectors/postgres/.*"}},
    {"sqlite3.h", std::regex{"^connectors/sqlite/.*"}},
    {"zlib.h", std::regex{"^connectors/(file|http)/.*"}},
    {"re2/", std::regex{"^dsl/expression/.*\\.cpp$"}},
    {"simdjson", std::regex{"^connectors/sdk/.*\\.cpp$"}},
    {"boost/asio", std::regex{"^connectors/(asio|http|postgres|redis)/.*"}},
    {"curl/", std::regex{"^connectors/http/client/.*"}},
    {"boost/beast", std::regex{"^connectors/http/.*\\.cpp$"}},
    {"spdlog/", std::regex{"^runtime/.*\\.cpp$"}},
    {"CLI/", std::regex{"^runtime/.*\\.cpp$"}},
  };
  std::vector<std::string> offenders;
  for (const auto& include : includes()) {
    for (const auto& [library, home] : homes) {
      if (!include.own && include.target.starts_with(library)
          && !std::regex_match(include.file, home))
        offenders.push_back(to_string(include));
    }
  }
  EXPECT_THAT(offenders, IsEmpty());
}

TEST(LayersTest, HeavyLibrariesStayOutOfHeaders) {
  std::vector<std::string> offenders;
  for (const auto& include : includes()) {
    const bool heavy = std::ranges::any_of(
      std::vector<std::string_view>{"nlohmann/json.hpp", "boost/", "spdlog/", "CLI/", "yaml-cpp/",
                                    "simdjson", "date/tz.h"},
      [&](std::string_view library) { return include.target.starts_with(library); });
    // These are about Asio, and nobody else includes them.
    static const std::set<std::string> home{
      "connectors/asio/loop.hpp", "connectors/postgres/client/asio.hpp",
      "connectors/postgres/dialer.hpp", "connectors/postgres/wire.hpp"};
    if (heavy && include.file.ends_with(".hpp") && !home.contains(include.file))
      offenders.push_back(to_string(include));
  }
  EXPECT_THAT(offenders, IsEmpty());
}

}  // namespace
