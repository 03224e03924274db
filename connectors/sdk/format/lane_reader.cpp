#include "connectors/sdk/format/lane_reader.hpp"

#include "connectors/sdk/format/clean_utf8.hpp"

#include <string>
#include <utility>

namespace millrace::sdk {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

LineScanner::Options scanner_options(const ReadFormat& format, std::uint64_t offset) {
  return {.max_line = format.max_line,
          .offset = offset,
          .delimiter = format.format == Format::csv ? format.csv.delimiter : '\0'};
}

}  // namespace

LaneReader::LaneReader(const ReadFormat& format, const SourceContext& context, LanePtr lane,
                       std::uint64_t offset)
  : context_{context},
    lane_{std::move(lane)},
    scanner_{scanner_options(format, offset)},
    decoder_{format},
    at_start_{offset == 0} {
}

bool LaneReader::filled(std::size_t count) {
  scanner_.filled(count);
  return emit_lines();
}

bool LaneReader::finish() {
  scanner_.finish();
  return emit_lines();
}

bool LaneReader::fail(const Error& error) {
  if (!emit_lines())
    return false;
  add_failure(scanner_.unfinished(), error);
  return flush();
}

bool LaneReader::emit_lines() {
  while (!unusable_) {
    auto line = scanner_.next();
    if (!line)
      break;
    if (std::exchange(at_start_, false) && line->text.starts_with(byte_order_mark))
      line->text.remove_prefix(byte_order_mark.size());
    add(*line);
    if ((intake_.records.size() >= intake_records || intake_.bytes >= intake_bytes) && !flush())
      return false;
  }
  return flush();
}

void LaneReader::add(const LineScanner::Line& line) {
  if (line.trouble == LineScanner::Trouble::too_long) {
    return add_failure(line, Error{ErrorKind::data,
                                   "the line is longer than 'max_line' allows",
                                   {.hint = "raise max_line if such lines are meant to be there"}});
  }
  if (line.trouble == LineScanner::Trouble::unclosed_quote) {
    return add_failure(line, Error{ErrorKind::data,
                                   "a quoted field is never closed",
                                   {.hint = "a quote inside a quoted field is written twice"}});
  }
  if (decoder_.skips(line.text))
    return;
  if (decoder_.wants_header()) {
    if (auto header = decoder_.read_header(line.text); !header) {
      add_failure(line, header.error());
      unusable_ = true;
    }
    return;
  }
  if (auto value = decoder_.decode(line.text))
    put(line, std::move(*value));
  else
    add_failure(line, value.error());
}

void LaneReader::add_failure(const LineScanner::Line& line, Error error) {
  put(line, Value{clean_utf8(line.text)});
  intake_.failures.push_back({.index = static_cast<std::uint32_t>(intake_.records.size() - 1),
                              .error = located(line, error)});
}

void LaneReader::put(const LineScanner::Line& line, Value payload) {
  if (intake_.records.empty())
    intake_.records.reserve(intake_records);
  Record& record = intake_.records.emplace_back();
  record.position = line.offset;
  record.set(context_.output, std::move(payload));
  intake_.bytes += line.text.size();
  if (context_.meta) {
    Value meta = lane_->meta().is_object() ? lane_->meta() : Value::object();
    meta.set("line", line.number);
    meta.set("offset", line.offset);
    record.set(*context_.meta, std::move(meta));
  }
}

bool LaneReader::flush() {
  if (intake_.records.empty())
    return true;
  if (!context_.events->wait_for_credit())
    return false;
  intake_.lane = lane_;
  context_.events->emit(std::exchange(intake_, {}));
  return true;
}

Error LaneReader::located(const LineScanner::Line& line, const Error& error) const {
  return Error{error.kind(),
               lane_->name() + ":" + std::to_string(line.number) + ": " + error.message(),
               error.detail()};
}

}  // namespace millrace::sdk
