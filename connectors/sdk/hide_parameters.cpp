#include "connectors/sdk/hide_parameters.hpp"

#include <algorithm>
#include <vector>

namespace millrace::sdk {

namespace {

constexpr std::string_view ellipsis = "…";

bool is_word_character(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

// Where `word` stands in `text` and is no part of a longer one.
std::size_t find_word(std::string_view text, std::string_view word, std::size_t from = 0) noexcept {
  for (auto at = text.find(word, from); at != std::string_view::npos;
       at = text.find(word, at + 1)) {
    const auto end = at + word.size();
    const bool inside = (at > 0 && is_word_character(text[at - 1])
                         && is_word_character(word.front()))
                        || (end < text.size() && is_word_character(text[end])
                            && is_word_character(word.back()));
    if (!inside)
      return at;
  }
  return std::string_view::npos;
}

void collect_texts(const Value& value, std::vector<std::string_view>& texts) {
  if (value.is_string()) {
    if (!value.as_string().empty())
      texts.push_back(value.as_string());
  } else if (value.is_array()) {
    for (const auto& item : value.items())
      collect_texts(item, texts);
  } else if (value.is_object()) {
    for (const auto& member : value.members())
      collect_texts(member.value, texts);
  }
}

// "…" of ASCII; those of other languages hold the words of a parameter as a rule, or none of it.
void hide_quoted(std::string& message, std::string_view sql,
                 const std::vector<std::string_view>& texts) {
  for (std::size_t open = message.find('"'); open != std::string::npos;) {
    const auto close = message.find('"', open + 1);
    if (close == std::string::npos)
      return;
    const auto quoted = message.substr(open + 1, close - open - 1);
    const bool hidden = !quoted.empty() && find_word(sql, quoted) == std::string_view::npos
                        && std::ranges::any_of(texts, [&](std::string_view text) {
                             return text.find(quoted) != std::string_view::npos;
                           });
    if (hidden)
      message.replace(open + 1, quoted.size(), ellipsis);
    open = message.find('"', hidden ? open + 1 + ellipsis.size() + 1 : close + 1);
  }
}

void hide_words(std::string& message, std::string_view text) {
  for (auto at = find_word(message, text); at != std::string::npos;
       at = find_word(message, text, at + ellipsis.size()))
    message.replace(at, text.size(), ellipsis);
}

}  // namespace

std::string hide_parameters(std::string_view message, std::string_view sql,
                            const Parameters& parameters) {
  std::vector<std::string_view> texts;
  for (const auto& parameter : parameters)
    collect_texts(parameter, texts);
  std::string shown{message};
  // The longest first: a shorter one may be a part of it.
  std::ranges::sort(texts, std::ranges::greater{}, &std::string_view::size);
  for (const auto text : texts) {
    if (text != ellipsis && find_word(sql, text) == std::string_view::npos)
      hide_words(shown, text);
  }
  hide_quoted(shown, sql, texts);
  return shown;
}

}  // namespace millrace::sdk
