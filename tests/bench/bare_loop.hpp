// The work of the file benchmark without the engine: read lines, parse, take three fields, write.
// One thread, one buffer each way: the yardstick for what the engine costs.
#pragma once

#include "connectors/sdk/json.hpp"

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

namespace millrace::bench {

/// The 200-byte line of record `n`, with its line break.
inline std::string line_of(std::uint64_t n) {
  const std::string id = std::to_string(n);
  std::string line =
    R"({"id":)" + id + R"(,"customerId":"C-)" + std::to_string(n % 9973) + R"(","total":)"
    + std::to_string(n % 1000) + "." + std::to_string(n % 89 + 10) + R"(,"country":")"
    + (n % 3 == 0 ? "DE" : "IT")
    + R"(","paid":true,"created":"2026-03-01T12:34:56.789Z","items":[1,2,3],"note":")";
  constexpr std::size_t length = 200;
  line.append(length - 3 - line.size(), 'x');
  return line += "\"}\n";
}

/// @returns the number of records, 0 where a file cannot be opened or a line is no JSON.
inline std::uint64_t bare_loop(const std::string& input, const std::string& output) {
  using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;
  const File in{std::fopen(input.c_str(), "rb"), &std::fclose};
  const File out{std::fopen(output.c_str(), "wb"), &std::fclose};
  if (!in || !out)
    return 0;
  std::setvbuf(in.get(), nullptr, _IONBF, 0);
  std::setvbuf(out.get(), nullptr, _IONBF, 0);
  constexpr std::size_t chunk = 256 * 1024;
  const auto buffer = std::make_unique<char[]>(2 * chunk);
  std::string written;
  written.reserve(2 * chunk);
  sdk::JsonReader reader;
  std::uint64_t records = 0;
  std::size_t kept = 0;
  while (true) {
    const std::size_t count = std::fread(buffer.get() + kept, 1, chunk, in.get());
    const char* at = buffer.get();
    const char* const end = at + kept + count;
    while (const auto* line_end = static_cast<const char*>(
             std::memchr(at, '\n', static_cast<std::size_t>(end - at)))) {
      const auto value = reader.parse({at, static_cast<std::size_t>(line_end - at)});
      if (!value)
        return 0;
      sdk::Value result = sdk::Value::object();
      for (const std::string_view name : {"id", "customerId", "total"})
        if (const sdk::Value* member = value->find(name))
          result.set(name, *member);
      sdk::append_json(written, result);
      written += '\n';
      ++records;
      at = line_end + 1;
    }
    if (written.size() >= chunk || count == 0) {
      std::fwrite(written.data(), 1, written.size(), out.get());
      written.clear();
    }
    if (count == 0)
      return records;
    kept = static_cast<std::size_t>(end - at);
    std::memmove(buffer.get(), at, kept);
  }
}

}  // namespace millrace::bench
