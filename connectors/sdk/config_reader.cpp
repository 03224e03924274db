#include "connectors/sdk/config_reader.hpp"

#include <algorithm>
#include <cassert>

namespace millrace::sdk {

namespace {

constexpr std::size_t most_options_listed = 16;

std::vector<std::string> split_names(std::string_view names) {
  std::vector<std::string> out;
  while (true) {
    const auto bar = names.find('|');
    out.emplace_back(names.substr(0, bar));
    if (bar == std::string_view::npos)
      return out;
    names.remove_prefix(bar + 1);
  }
}

std::string quoted(std::string_view text) {
  return "'" + std::string{text} + "'";
}

}  // namespace

ConfigReader::ConfigReader(const ConfigNode& mapping, std::string owner, Diagnostics& diagnostics,
                           ExpressionCompiler* compiler)
  : mapping_{&mapping},
    owner_{std::move(owner)},
    diagnostics_{&diagnostics},
    compiler_{compiler},
    errors_before_{diagnostics.error_count()} {
  if (!mapping.is_mapping() && !mapping.is_null())
    diagnostics.error(mapping.place,
                      owner_ + " must be a mapping of options, not " + mapping.describe());
}

ConfigReader ConfigReader::describing(std::vector<OptionSpec>& specs) {
  ConfigReader reader;
  reader.specs_ = &specs;
  return reader;
}

void ConfigReader::ignore(std::initializer_list<std::string_view> names) {
  for (const auto name : names)
    known_.emplace_back(name);
}

const ConfigNode* ConfigReader::look_up(std::string_view names, bool is_required, std::string type,
                                        std::string default_text, std::string_view doc,
                                        std::vector<std::string> choices) {
  auto all = split_names(names);
  if (specs_) {
    if (std::ranges::find(*specs_, all.front(), &OptionSpec::name) != specs_->end())
      return nullptr;
    OptionSpec spec;
    spec.name = all.front();
    spec.aliases.assign(all.begin() + 1, all.end());
    spec.type = std::move(type);
    spec.required = is_required;
    spec.default_text = std::move(default_text);
    spec.doc = doc;
    spec.choices = std::move(choices);
    specs_->push_back(std::move(spec));
    return nullptr;
  }
  const ConfigNode::Entry* found = nullptr;
  for (const auto& entry : mapping_->entries) {
    if (std::ranges::find(all, entry.key) == all.end())
      continue;
    if (found)
      diagnostics_->error(entry.key_place,
                          quoted(entry.key) + " says the same as " + quoted(found->key)
                            + ", which is given too",
                          "keep one of them");
    else
      found = &entry;
  }
  if (!found && is_required && mapping_->kind != ConfigNode::Kind::scalar)
    diagnostics_->error(mapping_->place, owner_ + " needs the option " + quoted(all.front()),
                        std::string{doc});
  known_.insert(known_.end(), all.begin(), all.end());
  return found ? &found->value : nullptr;
}

ServerPtr ExpressionCompiler::find_server(const ConfigNode* node, std::string_view protocol,
                                          const Place& place, const std::string& owner,
                                          Diagnostics& diagnostics) {
  diagnostics.error(node ? node->place : place, owner + " needs a " + std::string{protocol}
                                                  + " server, and there are none here");
  return nullptr;
}

ServerPtr ConfigReader::find_server(std::string_view protocol, std::string_view doc) {
  const auto* node = look_up("server", false, "text", {}, doc);
  if (specs_ || !compiler_)
    return nullptr;
  return compiler_->find_server(node, protocol, mapping_->place, owner_, *diagnostics_);
}

std::optional<std::size_t> ConfigReader::choose(std::string_view names,
                                                const std::vector<std::string_view>& words,
                                                std::string_view current, std::string_view doc) {
  const auto list = "one of " + joined(words);
  const auto* node = look_up(names, false, list, std::string{current}, doc,
                             {words.begin(), words.end()});
  if (!node)
    return std::nullopt;
  const auto name = names.substr(0, names.find('|'));
  if (!node->is_scalar()) {
    diagnostics_->error(node->place,
                        quoted(name) + " must be " + list + ", not " + node->describe());
    return std::nullopt;
  }
  const auto found = std::ranges::find(words, node->text);
  if (found != words.end())
    return static_cast<std::size_t>(found - words.begin());
  diagnostics_->error(node->place, quoted(name) + " must be " + list + ", not " + node->describe(),
                      node->secret ? std::string{} : did_you_mean(node->text, words));
  return std::nullopt;
}

bool ConfigReader::section(std::string_view names, std::string_view doc,
                           const std::function<void(ConfigReader&)>& read) {
  const auto* node = look_up(names, false, "mapping", {}, doc);
  const std::string name{names.substr(0, names.find('|'))};
  if (specs_) {
    auto spec = std::ranges::find(*specs_, name, &OptionSpec::name);
    std::vector<OptionSpec> nested;
    auto inner = describing(nested);
    read(inner);
    spec->nested = std::move(nested);
    return false;
  }
  if (!node)
    return false;
  ConfigReader inner{*node, quoted(name) + (owner_.empty() ? "" : " of " + owner_), *diagnostics_,
                     compiler_};
  read(inner);
  inner.finish();
  return true;
}

const ConfigNode* ConfigReader::raw(std::string_view names, std::string_view type,
                                    std::string_view doc, bool is_required) {
  return look_up(names, is_required, std::string{type}, {}, doc);
}

void ConfigReader::check(bool ok, std::string_view name, std::string_view rule, std::string hint) {
  if (!ok)
    error(name, quoted(name) + " must be " + std::string{rule}, std::move(hint));
}

void ConfigReader::error(std::string_view name, std::string message, std::string hint) {
  if (diagnostics_)
    diagnostics_->error(place_of(name), std::move(message), std::move(hint));
}

void ConfigReader::error_at(const Place& place, std::string message, std::string hint) {
  if (diagnostics_)
    diagnostics_->error(place, std::move(message), std::move(hint));
}

bool ConfigReader::has(std::string_view name) const {
  return mapping_ && mapping_->find(name);
}

Place ConfigReader::place_of(std::string_view name) const {
  if (!mapping_)
    return {};
  const auto* node = mapping_->find(name);
  return node ? node->place : mapping_->place;
}

bool ConfigReader::is_secret(std::string_view names) const {
  if (!mapping_)
    return false;
  const auto all = split_names(names);
  return std::ranges::any_of(mapping_->entries, [&](const ConfigNode::Entry& entry) {
    return std::ranges::find(all, entry.key) != all.end() && entry.value.holds_secret();
  });
}

void ConfigReader::refuse_secret(std::string_view name, const ExpressionPtr& expression) {
  if (is_secret(name) || (expression && expression->is_secret()))
    error(name,
          quoted(name) + " is printed, so nothing from ${ENV:…}, ${FILE:…} or env() may be in it",
          "leave the secret out, or write the text itself");
}

std::string ConfigReader::shown(std::string_view name) const {
  const auto* node = mapping_ ? mapping_->find(name) : nullptr;
  return node ? node->describe() : ConfigNode{}.describe();
}

bool ConfigReader::finish() {
  if (specs_)
    return false;
  if (!std::exchange(finished_, true)) {
    const std::vector<std::string_view> candidates{known_.begin(), known_.end()};
    for (const auto& entry : mapping_->entries) {
      if (std::ranges::find(known_, entry.key) != known_.end())
        continue;
      auto hint = did_you_mean(entry.key, candidates);
      if (hint.empty() && candidates.empty())
        hint = "it has no options";
      else if (hint.empty() && candidates.size() <= most_options_listed)
        hint = "its options are " + joined(candidates);
      diagnostics_->error(entry.key_place, owner_ + " has no option " + quoted(entry.key),
                          std::move(hint));
    }
  }
  return diagnostics_->error_count() == errors_before_;
}

}  // namespace millrace::sdk
