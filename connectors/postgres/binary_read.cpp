#include "connectors/postgres/binary_read.hpp"

#include "connectors/postgres/decode.hpp"

#include <array>
#include <string>

namespace millrace::postgres {

namespace {

using sdk::Value;

constexpr std::string_view hex_digits = "0123456789abcdef";

bool read_boolean(std::string_view bytes, const TypeInfo&, Value& out) {
  if (bytes.size() != 1)
    return false;
  out = Value{bytes[0] != '\0'};
  return true;
}

template <class T>
bool read_integer(std::string_view bytes, const TypeInfo&, Value& out) {
  if (bytes.size() != sizeof(T))
    return false;
  out = Value::from_integer(load_integer<T>(bytes.data()));
  return true;
}

bool read_text(std::string_view bytes, const TypeInfo&, Value& out) {
  out = Value{bytes};
  return true;
}

bool read_json(std::string_view bytes, const TypeInfo& type, Value& out) {
  out = decode_text(bytes, type);
  return true;
}

bool read_jsonb(std::string_view bytes, const TypeInfo& type, Value& out) {
  if (!bytes.starts_with('\1'))  // the version
    return false;
  out = decode_text(bytes.substr(1), type);
  return true;
}

bool read_nothing(std::string_view, const TypeInfo&, Value& out) {
  out = Value{};
  return true;
}

void append_hex(std::string& out, std::string_view bytes) {
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += hex_digits[byte >> 4U];
    out += hex_digits[byte & 15U];
  }
}

bool read_bytea(std::string_view bytes, const TypeInfo&, Value& out) {
  std::string text{"\\x"};
  text.reserve(2 + 2 * bytes.size());
  append_hex(text, bytes);
  out = Value{text};
  return true;
}

bool read_uuid(std::string_view bytes, const TypeInfo&, Value& out) {
  if (bytes.size() != 16)
    return false;
  std::string text;
  text.reserve(36);
  std::size_t at = 0;
  for (const std::size_t length : {4, 2, 2, 2, 6}) {
    if (at > 0)
      text += '-';
    append_hex(text, bytes.substr(at, length));
    at += length;
  }
  out = Value{text};
  return true;
}

// src/backend/utils/adt/arrayfuncs.c of PostgreSQL, array_send: dimensions, whether there are
// nulls, the type of the items; for each dimension its length and lower bound; then the items.
class ArrayReader {
public:
  ArrayReader(std::string_view bytes, const TypeInfo& type)
    : rest_{bytes}, item_{find_type(type.element)}, read_{binary_reader(type.element)} {}

  bool read(Value& out) {
    constexpr std::int32_t most_dimensions = 6;  // MAXDIM
    std::int32_t dimensions = 0;
    std::int32_t ignored = 0;
    if (read_ == nullptr || !take(dimensions) || dimensions < 0 || dimensions > most_dimensions
        || !take(ignored) || !take(ignored))
      return false;
    for (std::int32_t i = 0; i < dimensions; ++i) {
      std::int32_t length = 0;
      // An item has four bytes at least: no length is believed that cannot be.
      if (!take(length) || !take(ignored) || length < 0
          || static_cast<std::size_t>(length) > rest_.size())
        return false;
      lengths_.at(static_cast<std::size_t>(i)) = length;
    }
    dimensions_ = static_cast<std::size_t>(dimensions);
    if (dimensions == 0)
      out = Value::array();
    return (dimensions == 0 || read_list(0, out)) && rest_.empty();
  }

private:
  bool take(std::int32_t& number) {
    if (rest_.size() < 4)
      return false;
    number = load_integer<std::int32_t>(rest_.data());
    rest_.remove_prefix(4);
    return true;
  }

  bool read_list(std::size_t depth, Value& out) {
    auto list = Value::array();
    list.reserve(static_cast<std::size_t>(lengths_.at(depth)));
    for (std::int32_t i = 0; i < lengths_.at(depth); ++i) {
      Value item;
      if (!(depth + 1 < dimensions_ ? read_list(depth + 1, item) : read_item(item)))
        return false;
      list.push_back(std::move(item));
    }
    out = std::move(list);
    return true;
  }

  bool read_item(Value& out) {
    std::int32_t length = 0;
    if (!take(length))
      return false;
    if (length == -1)
      return true;
    if (length < 0 || static_cast<std::size_t>(length) > rest_.size())
      return false;
    const auto bytes = rest_.substr(0, static_cast<std::size_t>(length));
    rest_.remove_prefix(bytes.size());
    return read_(bytes, *item_, out);
  }

  std::string_view rest_;
  const TypeInfo* item_;
  BinaryReader read_;
  std::array<std::int32_t, 6> lengths_{};
  std::size_t dimensions_ = 0;
};

bool read_array(std::string_view bytes, const TypeInfo& type, Value& out) {
  return ArrayReader{bytes, type}.read(out);
}

struct Known {
  Oid type;
  BinaryReader read;
  bool style = false;
};

// By rising OID.
constexpr std::array readers{Known{16, &read_boolean},
                             Known{17, &read_bytea},
                             Known{19, &read_text},
                             Known{20, &read_integer<std::int64_t>},
                             Known{21, &read_integer<std::int16_t>},
                             Known{23, &read_integer<std::int32_t>},
                             Known{25, &read_text},
                             Known{26, &read_integer<std::uint32_t>},
                             Known{114, &read_json},
                             Known{700, &read_binary_float4},
                             Known{701, &read_binary_float8},
                             Known{1042, &read_text},
                             Known{1043, &read_text},
                             Known{1082, &read_binary_date, true},
                             Known{1083, &read_binary_time},
                             Known{1114, &read_binary_timestamp, true},
                             Known{1184, &read_binary_timestamptz, true},
                             Known{1186, &read_binary_interval, true},
                             Known{1266, &read_binary_timetz},
                             Known{1700, &read_binary_numeric},
                             Known{2278, &read_nothing},
                             Known{2950, &read_uuid},
                             Known{3802, &read_jsonb}};

const Known* find_reader(Oid type) noexcept {
  for (const auto& known : readers) {
    if (known.type == type)
      return &known;
  }
  return nullptr;
}

}  // namespace

BinaryReader binary_reader(Oid type) noexcept {
  if (const auto* known = find_reader(type))
    return known->read;
  const auto* info = find_type(type);
  return info != nullptr && info->kind == TypeKind::array && find_reader(info->element) != nullptr
           ? &read_array
           : nullptr;
}

bool has_style(Oid type) noexcept {
  const auto* info = find_type(type);
  const bool list = info != nullptr && info->kind == TypeKind::array;
  const auto* known = find_reader(list ? info->element : type);
  return known != nullptr && known->style;
}

}  // namespace millrace::postgres
