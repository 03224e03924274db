#include "connectors/file/paths.hpp"

#include "connectors/sdk/system_error.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <glob.h>
#include <string_view>
#include <sys/stat.h>

namespace millrace::file {
namespace {

// glob(3) reports the directory it cannot read through a function without context.
thread_local int glob_error = 0;
thread_local std::string* glob_error_path = nullptr;

int keep_error(const char* path, int error) {
  // A name in the middle of the pattern that is no directory is just no match.
  if (error == ENOTDIR || error == ENOENT)
    return 0;
  glob_error = error;
  *glob_error_path = path;
  return 1;
}

}  // namespace

bool is_pattern(const std::string& path) {
  struct stat status {};

  return path.find_first_of("*?[") != std::string::npos && ::stat(path.c_str(), &status) != 0;
}

sdk::Result<std::vector<sdk::Text>> matching_files(const sdk::Text& path) {
  std::vector<sdk::Text> files;
  if (!is_pattern(path.reveal())) {
    files.push_back(path);
    return files;
  }
  std::string error_path;
  glob_error = 0;
  glob_error_path = &error_path;
  glob_t found{};
  const int status = ::glob(path.reveal().c_str(), GLOB_NOSORT | GLOB_MARK, &keep_error, &found);
  if (status == 0)
    for (std::size_t i = 0; i < found.gl_pathc; ++i)
      if (const std::string_view name = found.gl_pathv[i]; !name.ends_with('/'))
        files.push_back(path.derived(std::string{name}));
  ::globfree(&found);
  if (status == GLOB_ABORTED)
    return sdk::system_error("cannot read the directory " + path.derived(error_path).shown(),
                             glob_error);
  if (status == GLOB_NOSPACE)
    return sdk::system_error("cannot list " + path.shown(), ENOMEM);
  std::ranges::sort(files, {}, &sdk::Text::reveal);
  return files;
}

std::string directory_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos)
    return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string name_of(const std::string& path) {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

}  // namespace millrace::file
