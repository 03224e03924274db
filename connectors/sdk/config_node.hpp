// ConfigNode: a piece of what the user wrote, with its place. dsl/ makes them from YAML; nobody
// else knows YAML.
#pragma once

#include "connectors/sdk/diagnostic.hpp"
#include "connectors/sdk/secret.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace millrace::sdk {

class ConfigNode {
public:
  enum class Kind : std::uint8_t { null, scalar, sequence, mapping };

  struct Entry;

  Kind kind = Kind::null;
  Place place;                  // of the node itself; for null, of its key
  std::string text;             // of a scalar, `${ENV:…}` and `${FILE:…}` resolved
  bool quoted = false;          // a quoted scalar is a string whatever it looks like
  bool secret = false;          // the text holds something resolved: it is printed nowhere
  std::vector<FilePart> files;  // what of it is the content of files (`${FILE:…}`)
  bool is_text = false;  // begins with something resolved: never read as an expression or a path
  std::vector<std::uint32_t>
    literal_dollars;              // offsets of `$` in `text` that begin no `${…}`: written
                                  // `$${`, or part of something resolved; rising
  std::vector<ConfigNode> items;  // of a sequence
  std::vector<Entry> entries;     // of a mapping, in the order of the file, keys unique

  bool is_null() const noexcept { return kind == Kind::null; }

  bool is_scalar() const noexcept { return kind == Kind::scalar; }

  bool is_sequence() const noexcept { return kind == Kind::sequence; }

  bool is_mapping() const noexcept { return kind == Kind::mapping; }

  /// The value of `key`, or null.
  const ConfigNode* find(std::string_view key) const noexcept;

  /// Where the first `${` of a template stands in `text`, from `from` on; npos: there is none.
  std::size_t find_template(std::size_t from = 0) const noexcept;

  /// Whether it, or anything below it, is secret.
  bool holds_secret() const noexcept;

  /// "a mapping", "a list", "the text 'x'", "<secret>", "nothing": for messages.
  std::string describe() const;
};

struct ConfigNode::Entry {
  std::string key;
  Place key_place;
  ConfigNode value;
};

/// What `over` says wins, member by member; what is no mapping is replaced as a whole.
void merge_over(ConfigNode& base, const ConfigNode& over);

}  // namespace millrace::sdk
