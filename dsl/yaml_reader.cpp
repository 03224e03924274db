#include "dsl/yaml_reader.hpp"

#include "connectors/sdk/ascii.hpp"
#include "dsl/text_check.hpp"

#include <yaml-cpp/depthguard.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <istream>
#include <streambuf>
#include <unordered_map>
#include <utility>
#include <vector>

namespace millrace::dsl {

namespace {

using sdk::ConfigNode;
using sdk::Diagnostics;
using sdk::Place;

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
constexpr std::string_view string_tag = "tag:yaml.org,2002:str";

// Leaves the parser early; the mistake stands in the diagnostics already.
struct Refused {};

// Reads a string_view without copying it.
class ViewBuffer : public std::streambuf {
public:
  explicit ViewBuffer(std::string_view text) {
    auto* begin = const_cast<char*>(text.data());  // NOLINT: get areas are never written to
    setg(begin, begin, begin + text.size());
  }
};

// Builds the tree from the parser's events: unlike the nodes of the library these carry the place
// of an alias, and an anchor that holds itself is not yet known where its alias stands.
class Builder : public YAML::EventHandler {
public:
  Builder(std::shared_ptr<const std::string> file, Diagnostics& diagnostics)
    : file_{std::move(file)}, diagnostics_{diagnostics} {}

  ConfigNode take_root() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1)
      refuse(place(mark), "a file holds one document, and here a second one begins",
             "put it into a file of its own");
  }

  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    // The mark of a missing value is that of whatever comes next; its key's is the one to show.
    ConfigNode node;
    node.place = open_.empty() || !open_.back().has_key ? place(mark) : open_.back().key.key_place;
    if (expects_key())
      refuse(place(mark), "a key is missing before ':'");
    add(std::move(node), anchor, 1);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (expects_key())
      refuse(place(mark), "an alias cannot be a key");
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end())
      refuse(place(mark), "the alias stands inside what it stands for",
             "an anchor cannot contain itself");
    if (open_.size() + found->second.depth > max_yaml_depth)
      refuse_depth(place(mark));
    auto copy = found->second.node;
    copy.place = place(mark);
    add(std::move(copy), YAML::NullAnchor, found->second.nodes);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    check_tag(mark, tag);
    if (expects_key()) {
      count(place(mark), 1);
      set_key(place(mark), value, tag != "?");
      return;
    }
    ConfigNode node;
    node.kind = ConfigNode::Kind::scalar;
    node.place = place(mark);
    node.text = value;
    node.quoted = tag != "?";
    add(std::move(node), anchor, 1);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, ConfigNode::Kind::sequence);
  }

  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, tag, anchor, ConfigNode::Kind::mapping);
  }

  void OnMapEnd() override { close(); }

private:
  // A mapping or sequence whose end has not come yet.
  struct Open {
    ConfigNode node;
    YAML::anchor_t anchor = YAML::NullAnchor;
    std::size_t nodes = 1;  // it stands for, aliases followed
    std::size_t depth = 1;  // of what it holds
    bool has_key = false;   // of a mapping: the next node is the value of `key`
    bool merges = false;    // `key` is `<<`
    bool twice = false;     // `key` was there before
    ConfigNode::Entry key{};
    std::vector<ConfigNode> merged{};
    std::unordered_map<std::string, Place> keys{};
  };

  struct Anchor {
    ConfigNode node;
    std::size_t nodes;
    std::size_t depth;
  };

  Place place(const YAML::Mark& mark) const {
    return {file_, static_cast<std::uint32_t>(mark.line + 1),
            static_cast<std::uint32_t>(mark.column + 1)};
  }

  [[noreturn]] void refuse(Place where, std::string message, std::string hint = {}) {
    diagnostics_.error(std::move(where), std::move(message), std::move(hint));
    throw Refused{};
  }

  [[noreturn]] void refuse_depth(Place where) {
    refuse(std::move(where), "nested deeper than " + std::to_string(max_yaml_depth) + " levels");
  }

  void count(const Place& where, std::size_t nodes) {
    nodes_ += nodes;
    if (nodes_ > max_yaml_nodes)
      refuse(where,
             "the file has more than " + std::to_string(max_yaml_nodes)
               + " values once its aliases are followed",
             "split it, or use fewer aliases");
  }

  void check_tag(const YAML::Mark& mark, const std::string& tag) {
    if (!tag.empty() && tag != "?" && tag != "!" && tag != string_tag)
      refuse(place(mark), "tags such as '" + tag + "' have no meaning here", "leave the tag out");
  }

  bool expects_key() const {
    return !open_.empty() && open_.back().node.is_mapping() && !open_.back().has_key;
  }

  void set_key(Place where, const std::string& key, bool quoted) {
    auto& top = open_.back();
    top.has_key = true;
    top.merges = !quoted && key == "<<";
    top.key = {key, where, {}};
    const auto [first, is_new] = top.keys.emplace(key, where);
    top.twice = !is_new;
    if (!is_new) {
      diagnostics_.error(std::move(where), "the key '" + key + "' stands here twice",
                         "keep one of them");
      diagnostics_.note(first->second, "here is the first '" + key + "'");
    }
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            ConfigNode::Kind kind) {
    check_tag(mark, tag);
    if (expects_key())
      refuse(place(mark), "a key must be a text, not a list or a mapping");
    if (open_.size() >= max_yaml_depth)
      refuse_depth(place(mark));
    count(place(mark), 1);
    Open top;
    top.node.kind = kind;
    top.node.place = place(mark);
    top.anchor = anchor;
    open_.push_back(std::move(top));
  }

  void close() {
    auto done = std::move(open_.back());
    open_.pop_back();
    for (auto& merged : done.merged)
      merge(done, std::move(merged));
    keep(done.anchor, done.node, done.nodes, done.depth);
    place_into_parent(std::move(done.node), done.nodes, done.depth);
  }

  // Keys that are given stay; of several merged mappings the first wins.
  static void merge(Open& into, ConfigNode from) {
    for (auto& entry : from.entries) {
      if (into.keys.emplace(entry.key, entry.key_place).second)
        into.node.entries.push_back(std::move(entry));
    }
  }

  void add(ConfigNode node, YAML::anchor_t anchor, std::size_t nodes) {
    count(node.place, nodes);
    keep(anchor, node, nodes, 0);
    place_into_parent(std::move(node), nodes, 0);
  }

  void keep(YAML::anchor_t anchor, const ConfigNode& node, std::size_t nodes, std::size_t depth) {
    if (anchor != YAML::NullAnchor)
      anchors_[anchor] = {node, nodes, depth};
  }

  void place_into_parent(ConfigNode node, std::size_t nodes, std::size_t depth) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    auto& top = open_.back();
    top.nodes += nodes;
    top.depth = std::max(top.depth, depth + 1);
    if (top.node.is_sequence()) {
      top.node.items.push_back(std::move(node));
      return;
    }
    top.has_key = false;
    if (top.merges) {
      take_merged(top, std::move(node));
      return;
    }
    if (!top.twice) {
      top.key.value = std::move(node);
      top.node.entries.push_back(std::move(top.key));
    }
  }

  void take_merged(Open& top, ConfigNode node) {
    std::vector<ConfigNode> sources;
    if (node.is_sequence())
      sources = std::move(node.items);
    else
      sources.push_back(std::move(node));
    for (auto& source : sources) {
      if (!source.is_mapping())
        refuse(source.place, "'<<' merges mappings, not " + source.describe());
      top.merged.push_back(std::move(source));
    }
  }

  std::shared_ptr<const std::string> file_;
  Diagnostics& diagnostics_;
  ConfigNode root_;
  std::vector<Open> open_;
  std::unordered_map<YAML::anchor_t, Anchor> anchors_;
  std::size_t nodes_ = 0;
  std::size_t documents_ = 0;
};

Place place_of(std::string_view text, std::size_t offset, std::shared_ptr<const std::string> file) {
  const auto before = text.substr(0, offset);
  const auto line = static_cast<std::uint32_t>(std::ranges::count(before, '\n'));
  const auto start = before.rfind('\n');
  const auto column = start == std::string_view::npos ? offset : offset - start - 1;
  return {std::move(file), line + 1, static_cast<std::uint32_t>(column + 1)};
}

// Whether a line is indented with a tab.
bool tab_indents(std::string_view text, std::size_t line) {
  std::size_t begin = 0;
  for (std::size_t i = 0; i < line; ++i) {
    const auto end = text.find('\n', begin);
    if (end == std::string_view::npos)
      return false;
    begin = end + 1;
  }
  const auto indent = text.substr(begin, text.find_first_not_of(" \t", begin) - begin);
  return indent.find('\t') != std::string_view::npos;
}

void report(const YAML::Exception& problem, std::string_view text,
            std::shared_ptr<const std::string> file, Diagnostics& diagnostics) {
  Place place{std::move(file), 0, 0};
  std::string hint;
  if (problem.mark.line >= 0) {
    place.line = static_cast<std::uint32_t>(problem.mark.line + 1);
    place.column = static_cast<std::uint32_t>(problem.mark.column + 1);
    const auto line = static_cast<std::size_t>(problem.mark.line);
    if (tab_indents(text, line) || (line > 0 && tab_indents(text, line - 1)))
      hint = "indent with spaces, not tabs";
  }
  if (dynamic_cast<const YAML::DeepRecursion*>(&problem) != nullptr) {
    diagnostics.error(std::move(place),
                      "nested deeper than " + std::to_string(max_yaml_depth) + " levels");
    return;
  }
  auto message = problem.msg;
  if (!message.empty())
    message[0] = sdk::to_lower(message[0]);
  diagnostics.error(std::move(place), "not valid YAML: " + message, std::move(hint));
}

// What would upset the parser or pass it unseen.
bool is_readable(std::string_view text, const std::shared_ptr<const std::string>& file,
                 Diagnostics& diagnostics) {
  if (text.size() > max_file_bytes) {
    diagnostics.error({file, 0, 0},
                      "the file is larger than " + std::to_string(max_file_bytes) + " bytes",
                      "split it into several files; 'millrace run' takes them all");
    return false;
  }
  if (const auto bad = find_bad_byte(text)) {
    const bool utf16 = text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF");
    diagnostics.error(place_of(text, bad->offset, file),
                      std::string{bad->reason} + " where YAML allows none",
                      utf16 ? "the file looks like UTF-16; save it as UTF-8" : "");
    return false;
  }
  return true;
}

}  // namespace

std::optional<ConfigNode> read_yaml(std::string_view text, std::shared_ptr<const std::string> file,
                                    Diagnostics& diagnostics) {
  if (text.starts_with(byte_order_mark))
    text.remove_prefix(byte_order_mark.size());
  if (!is_readable(text, file, diagnostics))
    return std::nullopt;
  Builder builder{file, diagnostics};
  try {
    ViewBuffer buffer{text};
    std::istream stream{&buffer};
    YAML::Parser parser{stream};
    if (!parser.HandleNextDocument(builder)) {
      diagnostics.error({file, 0, 0}, "the file is empty");
      return std::nullopt;
    }
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const Refused&) {
    return std::nullopt;
  } catch (const YAML::Exception& problem) {
    report(problem, text, file, diagnostics);
    return std::nullopt;
  }
  return builder.take_root();
}

}  // namespace millrace::dsl
