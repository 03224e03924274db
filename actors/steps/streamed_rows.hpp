// StreamedRows: rows that came in, made into the outputs of records: each row by itself, or so many
// together. Pure.
#pragma once

#include "connectors/sdk/row_stream.hpp"
#include "connectors/sdk/value.hpp"

#include <cstdint>
#include <deque>
#include <utility>

namespace millrace::actors {

class StreamedRows {
public:
  /// @param together rows of an output, {rows, rowcount}; 0: each row is one.
  explicit StreamedRows(std::uint64_t together) : together_{together} {}

  void add(const sdk::Value& rows) {
    for (const auto& row : rows.items()) {
      if (together_ == 0) {
        outputs_.push_back(row);
        continue;
      }
      group_.push_back(row);
      if (group_.size() == together_)
        close();
    }
  }

  /// Nothing more comes: what is left is an output too.
  void close() {
    if (group_.size() == 0)
      return;
    const auto count = static_cast<std::int64_t>(group_.size());
    outputs_.push_back(sdk::Value::object(
      {{"rows", std::exchange(group_, sdk::Value::array())}, {"rowcount", count}}));
  }

  std::size_t size() const noexcept { return outputs_.size(); }

  bool empty() const noexcept { return outputs_.empty(); }

  sdk::Value take() {
    auto output = std::move(outputs_.front());
    outputs_.pop_front();
    return output;
  }

private:
  std::uint64_t together_;
  sdk::Value group_ = sdk::Value::array();
  std::deque<sdk::Value> outputs_;
};

}  // namespace millrace::actors
