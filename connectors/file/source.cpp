#include "connectors/file/source.hpp"

#include "connectors/file/input_file.hpp"
#include "connectors/file/paths.hpp"
#include "connectors/file/tail.hpp"
#include "connectors/sdk/format/lane_reader.hpp"
#include "connectors/sdk/worker.hpp"

#include <utility>

namespace millrace::file {

sdk::LanePtr make_file_lane(const sdk::Text& path) {
  return std::make_shared<sdk::Lane>(path.name(), sdk::Value::object({{"path", path.reveal()}}));
}

FileSource::~FileSource() {
  stop();
  if (thread_.joinable())
    thread_.join();
}

void FileSource::stop() {
  stopping_.set();
}

sdk::Status FileSource::start(const sdk::SourceContext& context) {
  context_ = context;
  auto paths = matching_files(config_->path);
  if (!paths)
    return paths.error();
  paths_ = std::move(*paths);
  const bool follows = config_->tail && !context.once;
  if (!follows)
    if (auto there = check_path(); !there)
      return there;
  auto tail = follows ? Tail::make(*config_, context_, stopping_) : nullptr;
  if (tail)
    if (auto watching = tail->watch(); !watching)
      return watching;
  thread_ = sdk::start_thread("file-read", [this, follower = std::shared_ptr{std::move(tail)}] {
    if (follower)
      follower->run();
    else
      run();
    context_.events->end();
  });
  return {};
}

sdk::Status FileSource::check_path() {
  if (paths_.empty()) {
    return sdk::Error{
      sdk::ErrorKind::io,
      "no file matches " + config_->path.shown(),
      {.hint = "check the path; it counts from where millrace was started", .code = "ENOENT"}};
  }
  if (paths_.size() == 1)
    if (auto file = InputFile::open(paths_.front(), config_->compression, stopping_); !file)
      return file.error();
  return {};
}

void FileSource::run() {
  for (const sdk::Text& path : paths_)
    if (!read_file(path))
      return;
}

bool FileSource::read_file(const sdk::Text& path) {
  sdk::LaneReader reader{config_->format, context_, make_file_lane(path)};
  auto file = InputFile::open(path, config_->compression, stopping_);
  if (!file)
    return reader.fail(file.error());
  while (!stopping_.is_set()) {
    const auto count = file->read(reader.room());
    if (!count)
      return reader.fail(count.error());
    if (*count == 0 && stopping_.is_set())
      return false;
    if (*count == 0) {
      const auto end = file->check_end();
      return end ? reader.finish() : reader.fail(end.error());
    }
    if (!reader.filled(*count))
      return false;
    if (reader.unusable())
      return true;
  }
  return false;
}

}  // namespace millrace::file
