// Scratch: a directory of its own for one test, and what tests do with files.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

namespace millrace::test {

class Scratch {
public:
  Scratch() {
    std::string name = (std::filesystem::temp_directory_path() / "millrace-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
  }

  ~Scratch() {
    std::error_code ignored;
    std::filesystem::permissions(directory_, std::filesystem::perms::owner_all, ignored);
    std::filesystem::remove_all(directory_, ignored);
  }

  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  std::string path(const std::string& name) const { return (directory_ / name).string(); }

  std::string write(const std::string& name, std::string_view content) const {
    std::ofstream{path(name), std::ios::binary | std::ios::trunc} << content;
    return path(name);
  }

  void append(const std::string& name, std::string_view content) const {
    std::ofstream{path(name), std::ios::binary | std::ios::app} << content;
  }

  std::string read(const std::string& name) const {
    std::ifstream file{path(name), std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
  }

  bool exists(const std::string& name) const { return std::filesystem::exists(path(name)); }

  /// Files and directories in it.
  std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator{directory_},
                                                  std::filesystem::directory_iterator{}));
  }

private:
  std::filesystem::path directory_;
};

}  // namespace millrace::test
