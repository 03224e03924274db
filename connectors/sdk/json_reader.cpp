// Stage 1 (UTF-8 check, positions of structural characters) is simdjson's; stage 2, which makes the
// Values, is ours: it keeps the digits of numbers, and needs neither a copy nor padding of the
// text.
#include "connectors/sdk/json.hpp"
#include "connectors/sdk/json_diagnosis.hpp"
#include "connectors/sdk/number.hpp"
#include "connectors/sdk/utf8.hpp"
#include "connectors/sdk/value_node.hpp"

#include <array>
#include <bit>
#include <cstring>
#include <new>
#include <simdjson.h>
#include <vector>

namespace millrace::sdk {

namespace {

constexpr std::size_t first_capacity = 64 * 1024;
/// Index and scratch memory for longer texts is given back after each.
constexpr std::size_t kept_capacity = 4 * 1024 * 1024;

bool is_space(char c) noexcept {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/// Values under construction: those of open containers, innermost last. They move by their bytes.
class Scratch {
public:
  ~Scratch() { clear(); }

  Scratch() = default;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  std::size_t size() const noexcept { return values_.size(); }

  void push(Value value) { values_.push_back(std::move(value)); }

  Value pop() noexcept {
    auto value = std::move(values_.back());
    values_.pop_back();
    return value;
  }

  /// Replaces the values from `start` on by one container of them.
  void close(ValueKind kind, std::size_t start) {
    const auto count = values_.size() - start;
    if (count == 0) {
      push(ValueAccess::empty(kind));
      return;
    }
    auto* node = new_container(kind, kind == ValueKind::object ? count / 2 : count);
    for (std::size_t i = 0; i < count; ++i)
      new (node->items() + i) Value{std::move(values_[start + i])};
    node->size = node->capacity;
    auto container = ValueAccess::adopt(kind, node);
    values_.resize(start);
    if (kind == ValueKind::object)
      unite_members(node);
    push(std::move(container));
  }

  void clear() noexcept {
    values_.clear();
    if (values_.capacity() > kept_capacity / sizeof(Value))
      values_.shrink_to_fit();
  }

private:
  std::vector<Value> values_;
};

/// What a backslash and `c` stand for, or NUL.
char unescaped(char c) noexcept {
  switch (c) {
  case '"':
  case '\\':
  case '/':
    return c;
  case 'b':
    return '\b';
  case 'f':
    return '\f';
  case 'n':
    return '\n';
  case 'r':
    return '\r';
  case 't':
    return '\t';
  default:
    return '\0';
  }
}

/// Reads `\uXXXX`, or two of them that are a surrogate pair, at `at`. @returns their length, or 0.
std::size_t unescape_unicode(const char* at, const char* end, std::string& out) {
  if (end - at < 6)
    return 0;
  const int code = hex4({at + 2, end});
  if (code < 0)
    return 0;
  if (code < 0xD800 || code > 0xDFFF) {
    append_utf8(out, static_cast<std::uint32_t>(code));
    return 6;
  }
  if (code > 0xDBFF || end - at < 12 || at[6] != '\\' || at[7] != 'u')
    return 0;
  const int low = hex4({at + 8, end});
  if (low < 0xDC00 || low > 0xDFFF)
    return 0;
  append_utf8(out, 0x10000 + (static_cast<std::uint32_t>(code - 0xD800) << 10)
                     + static_cast<std::uint32_t>(low - 0xDC00));
  return 12;
}

/// Replaces escapes. @returns whether all were valid.
bool unescape(const char* at, const char* end, std::string& out) {
  out.clear();
  while (at != end) {
    const auto* slash = static_cast<const char*>(
      std::memchr(at, '\\', static_cast<std::size_t>(end - at)));
    if (!slash) {
      out.append(at, end);
      return true;
    }
    out.append(at, slash);
    at = slash;
    if (end - at < 2)
      return false;
    if (at[1] == 'u') {
      const auto length = unescape_unicode(at, end, out);
      if (length == 0)
        return false;
      at += length;
    } else if (const char c = unescaped(at[1])) {
      out.push_back(c);
      at += 2;
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace

struct JsonReader::State {
  std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;
  Scratch scratch;
  std::string unescape_buffer;
  const char* text = nullptr;
  std::uint32_t size = 0;
  const std::uint32_t* next = nullptr;  // structural positions; the one past the last is `size`
  const std::uint32_t* end = nullptr;

  bool prepare(std::size_t length) {
    if (parser && parser->capacity() > length)
      return true;
    const auto capacity = std::max(first_capacity, std::bit_ceil(length + 1));
    parser.reset();
    return simdjson::get_active_implementation()->create_dom_parser_implementation(
             std::min<std::size_t>(capacity, simdjson::SIMDJSON_MAXSIZE_BYTES), max_json_depth,
             parser)
           == simdjson::SUCCESS;
  }

  /// @returns whether the text is a JSON document; its Value is on the scratch then.
  bool read(std::string_view document) {
    if (parser->stage1(reinterpret_cast<const std::uint8_t*>(document.data()), document.size(),
                       simdjson::stage1_mode::regular)
        != simdjson::SUCCESS)
      return false;
    text = document.data();
    size = static_cast<std::uint32_t>(document.size());
    next = parser->structural_indexes.get();
    end = next + parser->n_structural_indexes;
    return next != end && read_value(1) && next == end;
  }

  bool read_value(std::size_t depth) {
    if (next == end)
      return false;
    const char* const at = text + *next++;
    switch (*at) {
    case '{':
      return depth <= max_json_depth && read_object(depth);
    case '[':
      return depth <= max_json_depth && read_array(depth);
    case '"':
      return read_string(at);
    case 't':
      return read_literal(at, "true", Value{true});
    case 'f':
      return read_literal(at, "false", Value{false});
    case 'n':
      return read_literal(at, "null", Value{});
    default:
      return read_number_token(at);
    }
  }

  bool read_object(std::size_t depth) {
    const auto start = scratch.size();
    if (next == end)
      return false;
    if (text[*next] == '}') {
      ++next;
      scratch.close(ValueKind::object, start);
      return true;
    }
    for (;;) {
      if (next == end || text[*next] != '"' || !read_string(text + *next++))
        return false;
      if (next == end || text[*next++] != ':' || !read_value(depth + 1) || next == end)
        return false;
      const char c = text[*next++];
      if (c == '}') {
        scratch.close(ValueKind::object, start);
        return true;
      }
      if (c != ',')
        return false;
    }
  }

  bool read_array(std::size_t depth) {
    const auto start = scratch.size();
    if (next == end)
      return false;
    if (text[*next] == ']') {
      ++next;
      scratch.close(ValueKind::array, start);
      return true;
    }
    for (;;) {
      if (!read_value(depth + 1) || next == end)
        return false;
      const char c = text[*next++];
      if (c == ']') {
        scratch.close(ValueKind::array, start);
        return true;
      }
      if (c != ',')
        return false;
    }
  }

  /// The token that begins at `at`, up to the white space or token after it.
  std::string_view token(const char* at) const noexcept {
    const char* last = text + (next == end ? size : *next);
    while (is_space(last[-1]))
      --last;
    return {at, last};
  }

  bool read_literal(const char* at, std::string_view name, Value value) {
    if (token(at) != name)
      return false;
    scratch.push(std::move(value));
    return true;
  }

  bool read_number_token(const char* at) {
    const auto digits = token(at);
    const auto number = read_number(digits);
    switch (number.kind) {
    case ValueKind::integer:
      scratch.push(Value::from_integer(number.integer));
      return true;
    case ValueKind::real:
      scratch.push(Value{number.real});
      return true;
    case ValueKind::decimal:
      scratch.push(ValueAccess::text_value(ValueKind::decimal, digits));
      return true;
    default:
      return false;
    }
  }

  bool read_string(const char* at) {
    // Stage 1 saw the closing quote, and nothing but white space stands between it and the next
    // token.
    auto inside = token(at);
    inside.remove_prefix(1);
    inside.remove_suffix(1);
    if (std::memchr(inside.data(), '\\', inside.size())) {
      if (!unescape(inside.data(), inside.data() + inside.size(), unescape_buffer))
        return false;
      inside = unescape_buffer;
    }
    scratch.push(Value{inside});
    return true;
  }
};

JsonReader::JsonReader() : state_{std::make_unique<State>()} {
}

JsonReader::~JsonReader() = default;
JsonReader::JsonReader(JsonReader&&) noexcept = default;
JsonReader& JsonReader::operator=(JsonReader&&) noexcept = default;

Result<Value> JsonReader::parse(std::string_view text) {
  if (text.size() >= simdjson::SIMDJSON_MAXSIZE_BYTES)
    return Error{ErrorKind::data, "JSON text of 4 GiB or more"};
  auto& state = *state_;
  try {
    if (!state.prepare(text.size()))
      throw std::bad_alloc{};
    const bool good = state.read(text);
    auto value = good ? state.scratch.pop() : Value{};
    state.scratch.clear();
    if (text.size() > kept_capacity)
      state.parser.reset();
    if (good)
      return value;
    return diagnose_json(text);
  } catch (const std::bad_alloc&) {
    state.scratch.clear();
    state.parser.reset();
    return Error{ErrorKind::data, "JSON text too large for the memory there is"};
  }
}

Result<Value> parse_json(std::string_view text) {
  thread_local JsonReader reader;
  return reader.parse(text);
}

}  // namespace millrace::sdk
