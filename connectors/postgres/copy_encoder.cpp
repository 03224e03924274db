#include "connectors/postgres/copy_encoder.hpp"

#include "connectors/postgres/binary.hpp"
#include "connectors/postgres/encode.hpp"

#include <algorithm>

namespace millrace::postgres {

namespace {

constexpr std::size_t slice_bytes = 64UL * 1024;

// PostgreSQL's manual, COPY, "Binary Format".
constexpr std::string_view binary_header{"PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19};

void append_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    switch (c) {
    case '\\':
      out += "\\\\";
      break;
    case '\n':
      out += "\\n";
      break;
    case '\r':
      out += "\\r";
      break;
    case '\t':
      out += "\\t";
      break;
    default:
      out += c;
    }
  }
}

sdk::Error holds_nul() {
  return {sdk::ErrorKind::execution,
          "a value holds a NUL character",
          {.hint = "PostgreSQL's text cannot hold one; take it out first", .code = "22021"}};
}

}  // namespace

CopyEncoder::CopyEncoder(std::shared_ptr<const sdk::BulkRows> rows, std::vector<Oid> types,
                         std::vector<Oid> written_as)
  : rows_{std::move(rows)},
    types_{std::move(types)},
    written_as_{std::move(written_as)},
    binary_{std::ranges::all_of(types_, [](Oid type) { return has_binary(type); })} {
  data_.reserve(slice_bytes + slice_bytes / 4);
  if (binary_)
    data_ = binary_header;
}

void CopyEncoder::begin_text() {
  binary_ = false;
  next_ = 0;
  data_.clear();
}

sdk::Result<CopyEncoder::Progress> CopyEncoder::step() {
  const auto rows = rows_->rows();
  const auto enough = data_.size() + slice_bytes;
  for (; next_ < rows.size() && data_.size() < enough; ++next_) {
    if (binary_) {
      if (!append_binary_row(rows[next_]))
        return Progress::not_binary;
    } else if (auto written = append_text_row(rows[next_]); !written) {
      return written.error();
    }
  }
  if (next_ < rows.size())
    return Progress::more;
  if (binary_)
    append_integer<std::int16_t>(data_, -1);
  return Progress::done;
}

bool CopyEncoder::append_binary_row(const sdk::Parameters& row) {
  append_integer(data_, static_cast<std::int16_t>(types_.size()));
  for (std::size_t i = 0; i < types_.size(); ++i) {
    if (row[i].is_null()) {
      append_integer<std::int32_t>(data_, -1);
      continue;
    }
    const auto at = data_.size();
    data_.append(4, '\0');
    if (!append_binary(data_, row[i], types_[i]))
      return false;
    put_integer(data_.data() + at, static_cast<std::int32_t>(data_.size() - at - 4));
  }
  return true;
}

sdk::Status CopyEncoder::append_text_row(const sdk::Parameters& row) {
  for (std::size_t i = 0; i < types_.size(); ++i) {
    if (i > 0)
      data_ += '\t';
    if (row[i].is_null()) {
      data_ += "\\N";
      continue;
    }
    text_.clear();
    append_text(text_, row[i], written_as_[i]);
    if (text_.find('\0') != std::string::npos)
      return holds_nul();
    append_escaped(data_, text_);
  }
  data_ += '\n';
  return {};
}

}  // namespace millrace::postgres
