// CopyEncoder: rows as COPY takes them; binary where every type and every value can be written so,
// else text. Works a slice at a time: the server reads one while the next is written.
//
//   CopyEncoder encoder{bulk, types, written_as};
//   "COPY t FROM STDIN" + encoder.options();
//   while (*encoder.step() == CopyEncoder::Progress::more) … encoder.data(), drop_data()
#pragma once

#include "connectors/postgres/types.hpp"
#include "connectors/sdk/bulk.hpp"
#include "connectors/sdk/result.hpp"

#include <cstdint>
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

  enum class Progress : std::uint8_t {
    more,
    done,
    not_binary,  // a value has no sure binary form: all is to be written anew, as text
  };

  /// Writes some more. @returns an error where a value cannot be sent at all.
  sdk::Result<Progress> step();

  /// From the first row on, as text.
  void begin_text();

  /// What stands behind COPY … FROM STDIN.
  std::string_view options() const noexcept { return binary_ ? " (FORMAT binary)" : ""; }

  /// What was written and not dropped yet.
  std::string_view data() const noexcept { return data_; }

  void drop_data() noexcept { data_.clear(); }

private:
  bool append_binary_row(const sdk::Parameters& row);
  sdk::Status append_text_row(const sdk::Parameters& row);

  std::shared_ptr<const sdk::BulkRows> rows_;
  std::vector<Oid> types_;
  std::vector<Oid> written_as_;
  bool binary_;
  std::size_t next_ = 0;
  std::string data_;
  std::string text_;  // of one value
};

}  // namespace millrace::postgres
