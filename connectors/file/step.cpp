#include "connectors/file/step.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace millrace::file {
namespace {

// A value must not lead out of the directory that the template names.
bool leads_away(std::string_view path, std::string_view prefix) {
  if (!path.starts_with(prefix) || (prefix.empty() && path.starts_with('/'))
      || path.find('\0') != std::string_view::npos)
    return true;
  std::string_view rest = path.substr(prefix.size());
  while (!rest.empty()) {
    const std::string_view part = rest.substr(0, rest.find('/'));
    if (part == "..")
      return true;
    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
  }
  return path.ends_with('/') || path.empty();
}

}  // namespace

FileStep::~FileStep() {
  if (writing_)
    shared_->outputs->leave();
}

sdk::Status FileStep::start(const sdk::StepContext& context) {
  context_ = context;
  const WriteConfig& config = shared_->config;
  if (const sdk::Value* path = config.path->constant()) {
    fixed_path_ = path->as_string();
    has_fixed_path_ = true;
  }
  const std::lock_guard lock{shared_->mutex};
  if (!shared_->outputs)
    shared_->outputs = std::make_unique<Outputs>(config, *context.log);
  if (has_fixed_path_)
    if (auto target = shared_->outputs->get(fixed_path_); !target)
      return target.error();
  shared_->outputs->join();
  writing_ = true;
  return {};
}

void FileStep::process(sdk::Batch batch, sdk::StepDone done) {
  Parts parts;
  std::vector<sdk::Failure> failures;
  for (std::uint32_t row = 0; row < batch.size(); ++row)
    if (auto status = put(batch[row], row, parts); !status)
      failures.push_back({.index = row, .error = std::move(status).error()});
  for (auto& part : parts) {
    part.piece.header = static_cast<FileTarget&>(*part.target).header();
    if (has_fixed_path_)
      part.rows.clear();
  }
  shared_->outputs->writer().submit(std::move(batch), std::move(parts), std::move(failures),
                                    std::move(done));
}

sdk::Status FileStep::put(const sdk::Record& record, std::uint32_t row, Parts& parts) {
  auto index = part_of(record, parts);
  if (!index)
    return std::move(index).error();
  sdk::BatchWriter::Part& part = parts[*index];
  auto& target = static_cast<FileTarget&>(*part.target);
  const auto& value = shared_->config.value;
  if (value) {
    auto evaluated = value->evaluate({.record = &record});
    if (!evaluated)
      return std::move(evaluated).error();
    if (auto encoded = target.encode(part.piece.bytes, *evaluated); !encoded)
      return encoded;
  } else if (auto encoded = target.encode(part.piece.bytes, record.get(context_.input)); !encoded) {
    return encoded;
  }
  if (!has_fixed_path_)
    part.rows.push_back(row);
  return {};
}

sdk::Result<std::size_t> FileStep::part_of(const sdk::Record& record, Parts& parts) {
  std::string evaluated_path;
  std::string_view path = fixed_path_;
  if (!has_fixed_path_) {
    auto value = shared_->config.path->evaluate({.record = &record});
    if (!value)
      return std::move(value).error();
    evaluated_path = value->is_string() ? std::string{value->as_string()} : std::string{};
    path = evaluated_path;
    if (leads_away(path, shared_->config.below)) {
      return sdk::Error{sdk::ErrorKind::data,
                        "the record's value makes no path that may be written",
                        {.hint = "values in 'path' must be texts or numbers that hold no '..'"}};
    }
  }
  const auto found = std::ranges::find_if(parts, [&](const sdk::BatchWriter::Part& part) {
    return has_fixed_path_ || static_cast<FileTarget&>(*part.target).path() == path;
  });
  if (found != parts.end())
    return static_cast<std::size_t>(found - parts.begin());
  auto target = shared_->outputs->get(path);
  if (!target)
    return std::move(target).error();
  parts.push_back(
    {.target = std::move(*target), .piece = {.bytes = shared_->outputs->writer().buffer()}});
  return parts.size() - 1;
}

void FileStep::finish(std::function<void(sdk::Status)> done) {
  if (!std::exchange(writing_, false))
    return done({});
  shared_->outputs->finish(std::move(done));
}

}  // namespace millrace::file
