// Stage 1 (UTF-8 check, positions of structural characters) is simdjson's; stage 2, which makes the
// Values, is ours: it keeps the digits of numbers, and needs neither a copy nor padding of the
// text.
#include "connectors/sdk/json.hpp"
#include "connectors/sdk/json_diagnosis.hpp"
#include "connectors/sdk/json_escape.hpp"
#include "connectors/sdk/json_scratch.hpp"
#include "connectors/sdk/number.hpp"
#include "connectors/sdk/value_node.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <memory>
#include <new>
#include <simdjson.h>

namespace millrace::sdk {

namespace {

constexpr std::size_t first_capacity = 64 * 1024;
/// Index and scratch memory for longer texts is given back after each.
constexpr std::size_t kept_capacity = 4 * 1024 * 1024;

bool is_space(char c) noexcept {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/// Sixteen bytes from `16 - size` on keep the first `size` bytes of two words.
constexpr std::array<std::uint8_t, 32> mask_bytes = [] {
  std::array<std::uint8_t, 32> bytes{};
  std::fill_n(bytes.begin(), 16, std::uint8_t{0xFF});
  return bytes;
}();

std::uint64_t load(const void* at) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof(word));
  return word;
}

bool has_backslash(std::uint64_t word) noexcept {
  constexpr std::uint64_t ones = 0x0101010101010101;
  const auto zero_where_it_is = word ^ (ones * '\\');
  return ((zero_where_it_is - ones) & ~zero_where_it_is & (ones * 0x80)) != 0;
}

}  // namespace

struct JsonReader::State {
  std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;
  Scratch scratch;
  std::string unescape_buffer;
  const char* text = nullptr;
  const char* text_end = nullptr;
  const std::uint32_t* next = nullptr;  // structural positions; the one past the last is the size
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

  void give_back() noexcept {
    parser.reset();
    scratch.give_back();
    unescape_buffer = {};
  }

  /// @returns whether the text is a JSON document; its Value is on the scratch then.
  bool read(std::string_view document) {
    if (parser->stage1(reinterpret_cast<const std::uint8_t*>(document.data()), document.size(),
                       simdjson::stage1_mode::regular)
        != simdjson::SUCCESS)
      return false;
    text = document.data();
    text_end = text + document.size();
    next = parser->structural_indexes.get();
    end = next + parser->n_structural_indexes;
    // Between two values stands at least one structural character.
    scratch.reserve(parser->n_structural_indexes / 2 + 1);
    return read_value(1) && next == end;
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
      return read_string(at + 1);
    case 't':
      return read_literal(at, "true", Value{true});
    case 'f':
      return read_literal(at, "false", Value{false});
    case 'n':
      return read_literal(at, "null", Value{});
    default:
      return read_digits(at);
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
      if (end - next < 3 || text[*next] != '"')
        return false;
      const char* const name = text + *next++ + 1;
      if (!read_string(name) || text[*next++] != ':' || !read_value(depth + 1) || next == end)
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

  /// The end of the token before `next`, without the white space after it.
  const char* token_end() const noexcept {
    const char* last = text + *next;
    while (is_space(last[-1]))
      --last;
    return last;
  }

  bool read_literal(const char* at, std::string_view name, Value value) noexcept {
    if (std::string_view{at, token_end()} != name)
      return false;
    scratch.push(std::move(value));
    return true;
  }

  bool read_digits(const char* at) {
    const char* const last = token_end();
    // Most numbers are short, whole and not negative.
    if (*at >= '1' && *at <= '9' && last - at <= 18) {
      auto integer = static_cast<std::int64_t>(*at - '0');
      const char* digit = at + 1;
      while (digit != last && *digit >= '0' && *digit <= '9')
        integer = integer * 10 + (*digit++ - '0');
      if (digit == last) {
        scratch.push(Value::from_integer(integer));
        return true;
      }
    }
    const std::string_view digits{at, last};
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

  /// The string whose first byte after the quote is at `at`. Stage 1 saw the closing quote, and
  /// only white space stands between that and the next token.
  bool read_string(const char* at) {
    const char* const quote = token_end() - 1;
    const auto size = static_cast<std::size_t>(quote - at);
    if (size > ValueAccess::short_capacity || text_end - at < 16)
      return read_long_string({at, size});
    const auto low = load(at) & load(mask_bytes.data() + 16 - size);
    const auto high = load(at + 8) & load(mask_bytes.data() + 24 - size);
    if (has_backslash(low) || has_backslash(high))
      return read_long_string({at, size});
    scratch.push(
      ValueAccess::of_words({static_cast<std::uint64_t>(ValueKind::string) | size << 8 | low << 16,
                             low >> 48 | high << 16}));
    return true;
  }

  bool read_long_string(std::string_view inside) {
    if (std::memchr(inside.data(), '\\', inside.size())) {
      if (!unescape_json(inside, unescape_buffer))
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
    const bool good = !text.empty() && state.read(text);
    auto value = good ? state.scratch.pop() : Value{};
    if (!good)
      state.scratch.clear();
    if (text.size() > kept_capacity)
      state.give_back();
    if (good)
      return value;
    if (auto mistake = diagnose_json(text))
      return *std::move(mistake);
    return Error{ErrorKind::internal, "refused JSON in which no mistake is found"};
  } catch (const std::bad_alloc&) {
    state.give_back();
    return Error{ErrorKind::data, "JSON text too large for the memory there is"};
  }
}

Result<Value> parse_json(std::string_view text) {
  thread_local JsonReader reader;
  return reader.parse(text);
}

}  // namespace millrace::sdk
