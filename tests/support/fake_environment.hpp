// FakeEnvironment: files and variables that a test wrote down.
#pragma once

#include "dsl/environment.hpp"

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace millrace::test {

class FakeEnvironment : public dsl::Environment {
public:
  std::map<std::string, std::string> values;  // of variables
  std::map<std::string, std::string> files;   // by path
  std::set<std::string> readable;             // files that other users may read

  std::optional<std::string> variable(const std::string& name) const override {
    const auto found = values.find(name);
    return found == values.end() ? std::nullopt : std::optional{found->second};
  }

  std::vector<std::pair<std::string, std::string>>
  variables(std::string_view prefix) const override {
    std::vector<std::pair<std::string, std::string>> found;
    for (const auto& [name, value] : values) {
      if (name.starts_with(prefix))
        found.emplace_back(name, value);
    }
    return found;
  }

  dsl::PathKind kind_of(const std::string& path) const override {
    if (files.contains(path))
      return dsl::PathKind::file;
    return below(path).empty() ? dsl::PathKind::absent : dsl::PathKind::directory;
  }

  sdk::Result<std::string> read_file(const std::string& path, std::size_t limit) const override {
    const auto found = files.find(path);
    if (found == files.end())
      return sdk::Error{sdk::ErrorKind::io,
                        "cannot open '" + path + "': No such file or directory"};
    if (found->second.size() > limit)
      return sdk::Error{sdk::ErrorKind::config,
                        "'" + path + "' is larger than " + std::to_string(limit) + " bytes"};
    return found->second;
  }

  sdk::Result<std::vector<std::string>> list_directory(const std::string& path) const override {
    return below(path);
  }

  bool others_may_read(const std::string& path) const override { return readable.contains(path); }

private:
  std::vector<std::string> below(std::string path) const {
    if (!path.ends_with('/'))
      path += '/';
    std::vector<std::string> found;
    for (const auto& [name, text] : files) {
      if (name.starts_with(path) && name.find('/', path.size()) == std::string::npos)
        found.push_back(name);
    }
    return found;
  }
};

}  // namespace millrace::test
