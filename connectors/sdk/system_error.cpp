#include "connectors/sdk/system_error.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace millrace::sdk {
namespace {

struct Advice {
  int number;
  bool retryable;
  const char* hint;
};

constexpr std::array advices{
  Advice{ENOENT, false, "check the path"},
  Advice{ENOTDIR, false, "check the path: a part of it is no directory"},
  Advice{EACCES, false, "check the permissions of the file and of its directory"},
  Advice{EPERM, false, "check the permissions of the file and of its directory"},
  Advice{EISDIR, false, "name a file, or the files in it: 'directory/*'"},
  Advice{EROFS, false, "that file system is mounted read-only"},
  Advice{ENAMETOOLONG, false, "use a shorter path"},
  Advice{EFBIG, false,
         "the file would be larger than the file system or the limit (ulimit -f) allows"},
  Advice{EPIPE, false, "whoever read it has closed it"},
  Advice{ENOSPC, true, "free some space on that disk"},
  Advice{EDQUOT, true, "free some space: the disk quota is used up"},
  Advice{EMFILE, true, "raise the limit of open files (ulimit -n)"},
  Advice{ENFILE, true, "the system has too many open files"},
  Advice{ENXIO, true, "nobody reads that pipe"},
  Advice{EIO, true, "the device reported an error; see the system's log"},
  Advice{EAGAIN, true, ""},
  Advice{ENOMEM, true, ""},
  Advice{ESTALE, true, ""},
};

}  // namespace

Error system_error(std::string_view what, int number, std::string hint) {
  const auto advice = std::ranges::find(advices, number, &Advice::number);
  const bool known = advice != advices.end();
  if (hint.empty() && known)
    hint = advice->hint;
  const char* name = ::strerrorname_np(number);
  Error::Detail detail;
  detail.hint = std::move(hint);
  detail.code = name != nullptr ? name : std::to_string(number);
  detail.retryable = known && advice->retryable;
  return Error{ErrorKind::io, std::string{what} + ": " + std::generic_category().message(number),
               std::move(detail)};
}

}  // namespace millrace::sdk
