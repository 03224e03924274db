#include "runtime/environment.hpp"

#include "connectors/sdk/system_error.hpp"
#include "runtime/read_file.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace millrace::runtime {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_env_file = 1024 * 1024;  // bytes

}  // namespace

sdk::Status ProcessEnvironment::add_file(const std::string& path) {
  const auto text = read_file(path, max_env_file);
  if (!text)
    return text.error();
  auto variables = parse_env_file(*text, path);
  if (!variables)
    return variables.error();
  for (auto& [name, value] : *variables)
    from_files_.insert_or_assign(name, std::move(value));
  return {};
}

std::optional<std::string> ProcessEnvironment::variable(const std::string& name) const {
  // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing in this process sets variables
  if (const char* value = std::getenv(name.c_str()))
    return value;
  if (const auto found = from_files_.find(name); found != from_files_.end())
    return found->second;
  return std::nullopt;
}

std::vector<std::pair<std::string, std::string>>
ProcessEnvironment::variables(std::string_view prefix) const {
  std::map<std::string, std::string, std::less<>> found;
  for (const auto& [name, value] : from_files_) {
    if (name.starts_with(prefix))
      found.emplace(name, value);
  }
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view line{*entry};
    const auto equals = line.find('=');
    if (line.starts_with(prefix) && equals != std::string_view::npos)
      found.insert_or_assign(std::string{line.substr(0, equals)},
                             std::string{line.substr(equals + 1)});
  }
  return {found.begin(), found.end()};
}

dsl::PathKind ProcessEnvironment::kind_of(const std::string& path) const {
  std::error_code ignored;
  const auto status = fs::status(path, ignored);
  if (fs::is_directory(status))
    return dsl::PathKind::directory;
  return fs::exists(status) ? dsl::PathKind::file : dsl::PathKind::absent;
}

sdk::Result<std::string> ProcessEnvironment::read_file(const std::string& path,
                                                       std::size_t limit) const {
  return runtime::read_file(path, limit);
}

sdk::Result<std::vector<std::string>>
ProcessEnvironment::list_directory(const std::string& path) const {
  std::error_code failure;
  std::vector<std::string> files;
  for (fs::directory_iterator entry{path, failure}, end; !failure && entry != end;
       entry.increment(failure)) {
    std::error_code ignored;
    if (entry->is_regular_file(ignored))
      files.push_back(entry->path().string());
  }
  if (failure)
    return sdk::system_error("cannot list '" + path + "'", failure.value());
  std::ranges::sort(files);
  return files;
}

bool ProcessEnvironment::others_may_read(const std::string& path) const {
  struct stat status {};

  return ::stat(path.c_str(), &status) == 0 && (status.st_mode & (S_IRGRP | S_IROTH)) != 0;
}

}  // namespace millrace::runtime
