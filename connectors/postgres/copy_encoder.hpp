// CopyEncoder: rows as COPY takes them; binary where every type and every value can be written so,
// else text. Works a slice at a time, so that many rows stall no reactor.
//
//   CopyEncoder encoder{bulk, types};
//   while (*encoder.step()) …                        // until it says that nothing is left
//   "COPY t FROM STDIN" + encoder.options();  encoder.data();
#pragma once

#include "connectors/postgres/types.hpp"
#include "connectors/sdk/bulk.hpp"
#include "connectors/sdk/result.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::postgres {

class CopyEncoder {
public:
  /// @param types of the columns, in their order. @param written_as what stands for them in text.
  CopyEncoder(std::shared_ptr<const sdk::BulkRows> rows, std::vector<Oid> types,
              std::vector<Oid> written_as);

  /// Writes some more. @returns whether there is more to write; an error where a value cannot be
  /// sent at all.
  sdk::Result<bool> step();

  bool binary() const noexcept { return binary_; }

  /// What stands behind COPY … FROM STDIN.
  std::string_view options() const noexcept { return binary_ ? " (FORMAT binary)" : ""; }

  const std::string& data() const noexcept { return data_; }

private:
  bool append_binary_row(const sdk::Parameters& row);
  sdk::Status append_text_row(const sdk::Parameters& row);
  void begin();

  std::shared_ptr<const sdk::BulkRows> rows_;
  std::vector<Oid> types_;
  std::vector<Oid> written_as_;
  bool binary_;
  std::size_t next_ = 0;
  std::string data_;
  std::string text_;  // of one value
};

}  // namespace millrace::postgres
