#include "connectors/sqlite/keywords.hpp"

#include "connectors/sdk/ascii.hpp"

#include <cctype>

namespace millrace::sqlite {

namespace {

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

// Walks over a statement's words, skipping comments and quoted text, and counting parentheses.
class Words {
public:
  explicit Words(std::string_view sql) : rest_{sql} {}

  /// The next word in capitals; empty at the end.
  std::string next() {
    while (!rest_.empty()) {
      const char c = rest_.front();
      if (rest_.starts_with("--")) {
        skip_past("\n");
      } else if (rest_.starts_with("/*")) {
        rest_.remove_prefix(2);
        skip_past("*/");
      } else if (c == '\'' || c == '"' || c == '`') {
        rest_.remove_prefix(1);
        skip_past({&c, 1});
        other_ = true;
      } else if (is_word(c)) {
        return take();
      } else {
        depth_ += c == '(' ? 1 : c == ')' ? -1 : 0;
        other_ = other_ || (std::isspace(static_cast<unsigned char>(c)) == 0 && c != ';');
        rest_.remove_prefix(1);
      }
    }
    return {};
  }

  int depth() const noexcept { return depth_; }

  bool saw_other() const noexcept {
    return other_;
  }  // anything but words, white space, semicolons, comments

private:
  std::string take() {
    std::string word;
    while (!rest_.empty() && is_word(rest_.front())) {
      word += sdk::to_upper(rest_.front());
      rest_.remove_prefix(1);
    }
    return word;
  }

  void skip_past(std::string_view mark) {
    const auto end = rest_.find(mark);
    rest_ = end == std::string_view::npos ? std::string_view{} : rest_.substr(end + mark.size());
  }

  std::string_view rest_;
  int depth_ = 0;
  bool other_ = false;
};

bool writes(std::string_view keyword) {
  return keyword == "INSERT" || keyword == "UPDATE" || keyword == "DELETE" || keyword == "REPLACE";
}

}  // namespace

bool is_blank(std::string_view sql) {
  Words words{sql};
  return words.next().empty() && !words.saw_other();
}

std::string main_keyword(std::string_view sql) {
  Words words{sql};
  auto first = words.next();
  if (first != "WITH")
    return first;
  for (auto word = words.next(); !word.empty(); word = words.next()) {
    if (words.depth() == 0 && (writes(word) || word == "SELECT" || word == "VALUES"))
      return word;
  }
  return first;
}

std::optional<std::int64_t> row_count(std::string_view keyword, std::size_t rows, bool has_columns,
                                      int changes) {
  if (has_columns)
    return static_cast<std::int64_t>(rows);
  if (writes(keyword))
    return changes;
  return std::nullopt;
}

std::string command_tag(std::string_view keyword, std::string_view sql,
                        std::optional<std::int64_t> rowcount) {
  const auto count = std::to_string(rowcount.value_or(0));
  if (keyword == "INSERT" || keyword == "REPLACE")
    return "INSERT 0 " + count;
  if (keyword == "SELECT" || keyword == "VALUES")
    return "SELECT " + count;
  if (keyword == "UPDATE" || keyword == "DELETE")
    return std::string{keyword} + " " + count;
  if (keyword != "CREATE" && keyword != "DROP" && keyword != "ALTER")
    return std::string{keyword};
  Words words{sql};
  static_cast<void>(words.next());
  auto object = words.next();
  while (object == "TEMP" || object == "TEMPORARY" || object == "UNIQUE" || object == "VIRTUAL")
    object = words.next();
  return std::string{keyword} + " " + object;
}

}  // namespace millrace::sqlite
