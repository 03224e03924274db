#include "runtime/environment.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

namespace millrace::runtime {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_env_file = 1024 * 1024;  // bytes

sdk::Error io_error(const std::string& what, int code) {
  return {sdk::ErrorKind::io, what + ": " + std::generic_category().message(code)};
}

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
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return io_error("cannot open '" + path + "'", errno);
  std::string text;
  std::array<char, 65536> buffer{};
  ssize_t got = 0;
  while ((got = ::read(fd, buffer.data(), buffer.size())) != 0) {
    if (got > 0)
      text.append(buffer.data(), static_cast<std::size_t>(got));
    else if (errno != EINTR)
      break;
    if (text.size() > limit)
      break;
  }
  const int code = got < 0 ? errno : 0;
  ::close(fd);
  if (code != 0)
    return io_error("cannot read '" + path + "'", code);
  if (text.size() > limit)
    return sdk::Error{sdk::ErrorKind::config,
                      "'" + path + "' is larger than " + std::to_string(limit) + " bytes"};
  return text;
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
    return io_error("cannot list '" + path + "'", failure.value());
  std::ranges::sort(files);
  return files;
}

bool ProcessEnvironment::others_may_read(const std::string& path) const {
  struct stat status {};

  return ::stat(path.c_str(), &status) == 0 && (status.st_mode & (S_IRGRP | S_IROTH)) != 0;
}

}  // namespace millrace::runtime
