// OffsetRun: what the first record of a batch carries that is to be written together with the
// offset behind it, or not at all (delivery: exactly-once). Its lane has a ledger; any failure
// means that nothing of the batch was written.
#pragma once

#include "connectors/sdk/batch.hpp"
#include "connectors/sdk/record.hpp"

#include <cstdint>
#include <memory>

namespace millrace::sdk {

class OffsetRun final : public Attachment {
public:
  static void mark(Batch& batch) { batch[0].attach(key, std::make_unique<OffsetRun>()); }

  static bool is_marked(const Batch& batch) {
    return !batch.empty() && batch[0].attachment(key) != nullptr;
  }

private:
  static constexpr std::uint32_t key = 0xFFFF'FFFE;  // not that of a transaction's span
};

}  // namespace millrace::sdk
