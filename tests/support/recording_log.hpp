// RecordingLog: keeps what is logged, one text a line: "warn session held for too long holder=me".
#pragma once

#include "connectors/sdk/json.hpp"
#include "connectors/sdk/log.hpp"

#include <algorithm>
#include <array>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::test {

class RecordingLog final : public sdk::Log {
public:
  bool enabled(sdk::LogLevel) const noexcept override { return true; }

  void write(sdk::LogLevel level, std::string_view event,
             std::span<const sdk::LogField> fields) noexcept override {
    static constexpr std::array names{"trace", "debug", "info", "warn", "error", "off"};
    std::string line{names.at(static_cast<std::size_t>(level))};
    line.append(" ").append(event);
    for (const auto& field : fields)
      line.append(" ").append(field.name).append("=").append(sdk::to_json(field.value));
    const std::lock_guard lock{mutex_};
    lines_.push_back(std::move(line));
  }

  std::vector<std::string> lines() const {
    const std::lock_guard lock{mutex_};
    return lines_;
  }

  /// The first line that holds `part`; empty: there is none.
  std::string find(std::string_view part) const {
    const std::lock_guard lock{mutex_};
    const auto found = std::ranges::find_if(
      lines_, [part](const std::string& line) { return line.find(part) != std::string::npos; });
    return found == lines_.end() ? std::string{} : *found;
  }

private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

}  // namespace millrace::test
