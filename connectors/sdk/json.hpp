// JSON text to Value and back: by simdjson in, by our own writer out, without losing a digit.
//
//   JsonReader reader;                       // one per thread; keeps its buffers
//   auto value = reader.parse(line);         // Error kind `data`, with the offset and the reason
//   append_json(buffer, *value);
#pragma once

#include "connectors/sdk/result.hpp"
#include "connectors/sdk/value.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace millrace::sdk {

/// Deepest nesting that is read. Values that code builds deeper are written all the same.
inline constexpr std::size_t max_json_depth = 512;

/// Reads JSON documents (RFC 8259). Not for use from two threads at once.
class JsonReader {
public:
  JsonReader();
  ~JsonReader();
  JsonReader(JsonReader&&) noexcept;
  JsonReader& operator=(JsonReader&&) noexcept;

  /// Reads one document that fills `text` but for white space around it. A member named twice: the
  /// last wins. Numbers keep their digits: 1.10, 1e5 and -0.0 become decimals, -0 a real.
  /// Invalid UTF-8, lone surrogates, too deep nesting and anything after the document are errors.
  /// The text needs no padding and is not copied as a whole. In the worst case some twenty times
  /// its size is taken while it is read, so sources limit how long a text they hand in.
  Result<Value> parse(std::string_view text);

private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Reads one document; keeps a reader per thread.
Result<Value> parse_json(std::string_view text);

/// Appends `value` as compact JSON. NaN and infinities, which JSON has not, become the strings
/// "NaN", "Infinity" and "-Infinity".
void append_json(std::string& out, const Value& value);

/// Appends a JSON string literal with its quotes.
void append_json_string(std::string& out, std::string_view text);

std::string to_json(const Value& value);

/// Indented by two spaces, for people.
std::string to_pretty_json(const Value& value);

}  // namespace millrace::sdk
