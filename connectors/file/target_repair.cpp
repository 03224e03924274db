// FileTarget, continued: the end of a file that is appended to. A run that was killed in the middle
// of a write may have left half a line; it was never reported as done, so it comes again.
#include "connectors/file/input_file.hpp"
#include "connectors/file/target.hpp"
#include "connectors/sdk/format/record_decoder.hpp"
#include "connectors/sdk/json.hpp"
#include "connectors/sdk/system_error.hpp"

#include <array>
#include <cerrno>
#include <cstddef>
#include <unistd.h>
#include <utility>

namespace millrace::file {

sdk::Status FileTarget::repair() {
  const std::uint64_t length = size();
  if (length == 0)
    return {};
  auto repaired = gzip_ ? repair_gzip(length) : repair_lines(length);
  return repaired && config_.format.format == sdk::Format::csv && !gzip_ ? learn_columns()
                                                                         : repaired;
}

sdk::Status FileTarget::repair_lines(std::uint64_t length) {
  auto start = last_line_start(file_.get(), length);
  if (!start)
    return start.error();
  if (*start == length)
    return {};
  std::string line(static_cast<std::size_t>(length - *start), '\0');
  const ssize_t count = ::pread(file_.get(), line.data(), line.size(), static_cast<off_t>(*start));
  if (count != static_cast<ssize_t>(line.size()))
    return failed(count < 0 ? errno : EIO);
  // Half a JSON value shows; of other formats nobody can tell, so nothing is taken away.
  if (config_.format.format == sdk::Format::jsonl && !sdk::parse_json(line))
    return cut(*start, line.size());
  log_.warn("the last line of a file had no end and was given one", {{"path", path_.name()}});
  if (::write(file_.get(), "\n", 1) != 1)
    return failed(errno);
  return {};
}

sdk::Status FileTarget::repair_gzip(std::uint64_t length) {
  GzipReader reader;
  std::string packed(128 * 1024, '\0');
  std::string plain(256 * 1024, '\0');
  std::uint64_t offset = 0;
  bool damaged = false;
  while (!damaged) {
    const ssize_t count = ::pread(file_.get(), packed.data(), packed.size(),
                                  static_cast<off_t>(offset));
    if (count < 0)
      return failed(errno);
    if (count == 0)
      break;
    offset += static_cast<std::uint64_t>(count);
    reader.feed({packed.data(), static_cast<std::size_t>(count)});
    while (!damaged) {
      const auto unpacked = reader.read(plain);
      damaged = !unpacked;
      if (unpacked && *unpacked == 0)
        break;
    }
  }
  if (!damaged && reader.whole())
    return {};
  // Only an end that is missing is ours to repair: damage further up is somebody else's.
  if (damaged || reader.whole_bytes() == 0) {
    return sdk::Error{sdk::ErrorKind::io,
                      "cannot append to " + path_.shown() + ": it is no whole gzip file",
                      {.hint = "move it away, or write to another path"}};
  }
  return cut(reader.whole_bytes(), static_cast<std::size_t>(length - reader.whole_bytes()));
}

sdk::Status FileTarget::cut(std::uint64_t length, std::uint64_t torn) {
  log_.warn("half a write of an earlier run was taken away",
            {{"path", path_.name()}, {"bytes", torn}});
  if (::ftruncate(file_.get(), static_cast<off_t>(length)) != 0)
    return failed(errno);
  return {};
}

sdk::Status FileTarget::learn_columns() {
  if (!config_.format.csv.header)
    return {};
  std::string first(64 * 1024, '\0');
  const ssize_t count = ::pread(file_.get(), first.data(), first.size(), 0);
  if (count < 0)
    return failed(errno);
  first.resize(static_cast<std::size_t>(count));
  auto columns = sdk::csv_header(first, config_.format.csv.delimiter);
  if (!columns)
    return sdk::Error{sdk::ErrorKind::io,
                      "cannot append to " + path_.shown() + ": its first line is no csv header",
                      {.hint = "move it away, or say 'header: false'"}};
  const std::lock_guard lock{encoder_mutex_};
  encoder_.set_columns(std::move(*columns));
  return {};
}

}  // namespace millrace::file
