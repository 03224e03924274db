// Every example of RFC 9535, sections 1.5 to 2.7.
#include "dsl/expression/eval.hpp"
#include "tests/dsl/expression/fixture.hpp"

#include <array>

namespace millrace::dsl::test {
namespace {

struct Example {
  std::string_view document;
  std::string_view path;
  std::string_view values;  // an array
  std::string_view places;  // an array of normalized paths
};

// Figure 1.
constexpr std::string_view store = R"({"store": {
  "book": [
    {"category": "reference", "author": "Nigel Rees", "title": "Sayings of the Century", "price": 8.95},
    {"category": "fiction", "author": "Evelyn Waugh", "title": "Sword of Honour", "price": 12.99},
    {"category": "fiction", "author": "Herman Melville", "title": "Moby Dick", "isbn": "0-553-21311-3", "price": 8.99},
    {"category": "fiction", "author": "J. R. R. Tolkien", "title": "The Lord of the Rings", "isbn": "0-395-19395-8",
     "price": 22.99}],
  "bicycle": {"color": "red", "price": 399}}})";
constexpr std::string_view names = R"({"o": {"j j": {"k.k": 3}}, "'": {"@": 2}})";
constexpr std::string_view wild = R"({"o": {"j": 1, "k": 2}, "a": [5, 3]})";
constexpr std::string_view pair = R"(["a", "b"])";
constexpr std::string_view letters = R"(["a", "b", "c", "d", "e", "f", "g"])";
constexpr std::string_view filtered =
  R"({"a": [3, 5, 1, 2, 4, 6, {"b": "j"}, {"b": "k"}, {"b": {}}, {"b": "kilo"}],
  "o": {"p": 1, "q": 2, "r": 3, "s": 5, "t": {"u": 6}}, "e": "f"})";
constexpr std::string_view nested = R"({"o": {"j": 1, "k": 2}, "a": [5, 3, [{"j": 4}, {"k": 6}]]})";
constexpr std::string_view nulls = R"({"a": null, "b": [null], "c": [{}], "null": 1})";

constexpr auto examples = std::to_array<Example>({
  // Table 2 (section 1.5).
  {store, "$.store.book[*].author",
   R"(["Nigel Rees", "Evelyn Waugh", "Herman Melville", "J. R. R. Tolkien"])",
   R"(["$['store']['book'][0]['author']", "$['store']['book'][1]['author']", "$['store']['book'][2]['author']",
       "$['store']['book'][3]['author']"])"},
  {store, "$..author", R"(["Nigel Rees", "Evelyn Waugh", "Herman Melville", "J. R. R. Tolkien"])",
   R"(["$['store']['book'][0]['author']", "$['store']['book'][1]['author']", "$['store']['book'][2]['author']",
       "$['store']['book'][3]['author']"])"},
  {store, "$.store.*", "", R"(["$['store']['book']", "$['store']['bicycle']"])"},
  {store, "$.store..price", "[8.95, 12.99, 8.99, 22.99, 399]",
   R"(["$['store']['book'][0]['price']", "$['store']['book'][1]['price']", "$['store']['book'][2]['price']",
       "$['store']['book'][3]['price']", "$['store']['bicycle']['price']"])"},
  {store, "$..book[2]", "", R"(["$['store']['book'][2]"])"},
  {store, "$..book[2].author", R"(["Herman Melville"])", R"(["$['store']['book'][2]['author']"])"},
  {store, "$..book[2].publisher", "[]", "[]"},
  {store, "$..book[-1]", "", R"(["$['store']['book'][3]"])"},
  {store, "$..book[0,1]", "", R"(["$['store']['book'][0]", "$['store']['book'][1]"])"},
  {store, "$..book[:2]", "", R"(["$['store']['book'][0]", "$['store']['book'][1]"])"},
  {store, "$..book[?@.isbn]", "", R"(["$['store']['book'][2]", "$['store']['book'][3]"])"},
  {store, "$..book[?@.price<10]", "", R"(["$['store']['book'][0]", "$['store']['book'][2]"])"},
  // Section 2.1.
  {R"({"a": [{"b": 0}, {"b": 1}, {"c": 2}]})", "$.a[*].b", "[0, 1]",
   R"(["$['a'][0]['b']", "$['a'][1]['b']"])"},
  // Table 4 (section 2.2.3).
  {R"({"k": "v"})", "$", R"([{"k": "v"}])", R"(["$"])"},
  // Table 5 (section 2.3.1.3).
  {names, "$.o['j j']", R"([{"k.k": 3}])", R"(["$['o']['j j']"])"},
  {names, "$.o['j j']['k.k']", "[3]", R"(["$['o']['j j']['k.k']"])"},
  {names, R"($.o["j j"]["k.k"])", "[3]", R"(["$['o']['j j']['k.k']"])"},
  {names, R"($["'"]["@"])", "[2]", R"(["$['\\'']['@']"])"},
  // Table 6 (section 2.3.2.3).
  {wild, "$[*]", R"([{"j": 1, "k": 2}, [5, 3]])", R"(["$['o']", "$['a']"])"},
  {wild, "$.o[*]", "[1, 2]", R"(["$['o']['j']", "$['o']['k']"])"},
  {wild, "$.o[*, *]", "[1, 2, 1, 2]",
   R"(["$['o']['j']", "$['o']['k']", "$['o']['j']", "$['o']['k']"])"},
  {wild, "$.a[*]", "[5, 3]", R"(["$['a'][0]", "$['a'][1]"])"},
  // Table 7 (section 2.3.3.3).
  {pair, "$[1]", R"(["b"])", R"(["$[1]"])"},
  {pair, "$[-2]", R"(["a"])", R"(["$[0]"])"},
  // Table 9 (section 2.3.4.3).
  {letters, "$[1:3]", R"(["b", "c"])", R"(["$[1]", "$[2]"])"},
  {letters, "$[5:]", R"(["f", "g"])", R"(["$[5]", "$[6]"])"},
  {letters, "$[1:5:2]", R"(["b", "d"])", R"(["$[1]", "$[3]"])"},
  {letters, "$[5:1:-2]", R"(["f", "d"])", R"(["$[5]", "$[3]"])"},
  {letters, "$[::-1]", R"(["g", "f", "e", "d", "c", "b", "a"])",
   R"(["$[6]", "$[5]", "$[4]", "$[3]", "$[2]", "$[1]", "$[0]"])"},
  // Table 12 (section 2.3.5.3).
  {filtered, "$.a[?@.b == 'kilo']", R"([{"b": "kilo"}])", R"(["$['a'][9]"])"},
  {filtered, "$.a[?(@.b == 'kilo')]", R"([{"b": "kilo"}])", R"(["$['a'][9]"])"},
  {filtered, "$.a[?@>3.5]", "[5, 4, 6]", R"(["$['a'][1]", "$['a'][4]", "$['a'][5]"])"},
  {filtered, "$.a[?@.b]", R"([{"b": "j"}, {"b": "k"}, {"b": {}}, {"b": "kilo"}])",
   R"(["$['a'][6]", "$['a'][7]", "$['a'][8]", "$['a'][9]"])"},
  {filtered, "$[?@.*]", "", R"(["$['a']", "$['o']"])"},
  {filtered, "$[?@[?@.b]]", "", R"(["$['a']"])"},
  {filtered, "$.o[?@<3, ?@<3]", "[1, 2, 1, 2]",
   R"(["$['o']['p']", "$['o']['q']", "$['o']['p']", "$['o']['q']"])"},
  {filtered, R"($.a[?@<2 || @.b == "k"])", R"([1, {"b": "k"}])", R"(["$['a'][2]", "$['a'][7]"])"},
  {filtered, R"($.a[?match(@.b, "[jk]")])", R"([{"b": "j"}, {"b": "k"}])",
   R"(["$['a'][6]", "$['a'][7]"])"},
  {filtered, R"($.a[?search(@.b, "[jk]")])", R"([{"b": "j"}, {"b": "k"}, {"b": "kilo"}])",
   R"(["$['a'][6]", "$['a'][7]", "$['a'][9]"])"},
  {filtered, "$.o[?@>1 && @<4]", "[2, 3]", R"(["$['o']['q']", "$['o']['r']"])"},
  {filtered, "$.o[?@.u || @.x]", R"([{"u": 6}])", R"(["$['o']['t']"])"},
  {filtered, "$.a[?@.b == $.x]", "[3, 5, 1, 2, 4, 6]",
   R"(["$['a'][0]", "$['a'][1]", "$['a'][2]", "$['a'][3]", "$['a'][4]", "$['a'][5]"])"},
  {filtered, "$.a[?@ == @]",
   R"([3, 5, 1, 2, 4, 6, {"b": "j"}, {"b": "k"}, {"b": {}}, {"b": "kilo"}])", ""},
  // Sections 2.4.4 to 2.4.8.
  {R"([{"authors": [1, 2, 3, 4, 5]}, {"authors": "abcd"}, {"authors": {"a": 1}}, 5])",
   "$[?length(@.authors) >= 5]", R"([{"authors": [1, 2, 3, 4, 5]}])", R"(["$[0]"])"},
  {R"([[{"author": 1}, {"author": 2}], [{"author": 1}]])", "$[?count(@.*.author) >= 2]",
   R"([[{"author": 1}, {"author": 2}]])", R"(["$[0]"])"},
  {R"([{"date": "1974-05-11"}, {"date": "1974-05-110"}, {"date": 3}])",
   R"($[?match(@.date, "1974-05-..")])", R"([{"date": "1974-05-11"}])", R"(["$[0]"])"},
  {R"([{"author": "Little Bob"}, {"author": "Rob"}, {"author": "bob"}])",
   R"($[?search(@.author, "[BR]ob")])", R"([{"author": "Little Bob"}, {"author": "Rob"}])",
   R"(["$[0]", "$[1]"])"},
  {R"([{"x": {"color": "red"}}, {"color": "red", "x": {"color": "red"}}])",
   R"($[?value(@..color) == "red"])", R"([{"x": {"color": "red"}}])", R"(["$[0]"])"},
  // Table 15 (section 2.5.1.3).
  {letters, "$[0, 3]", R"(["a", "d"])", R"(["$[0]", "$[3]"])"},
  {letters, "$[0:2, 5]", R"(["a", "b", "f"])", R"(["$[0]", "$[1]", "$[5]"])"},
  {letters, "$[0, 0]", R"(["a", "a"])", R"(["$[0]", "$[0]"])"},
  // Table 16 (section 2.5.2.3).
  {nested, "$..j", "[1, 4]", R"(["$['o']['j']", "$['a'][2][0]['j']"])"},
  {nested, "$..[0]", R"([5, {"j": 4}])", R"(["$['a'][0]", "$['a'][2][0]"])"},
  {nested, "$..[*]",
   R"([{"j": 1, "k": 2}, [5, 3, [{"j": 4}, {"k": 6}]], 1, 2, 5, 3, [{"j": 4}, {"k": 6}], {"j": 4},
                         {"k": 6}, 4, 6])",
   R"(["$['o']", "$['a']", "$['o']['j']", "$['o']['k']", "$['a'][0]", "$['a'][1]", "$['a'][2]", "$['a'][2][0]",
       "$['a'][2][1]", "$['a'][2][0]['j']", "$['a'][2][1]['k']"])"},
  {nested, "$..*",
   R"([{"j": 1, "k": 2}, [5, 3, [{"j": 4}, {"k": 6}]], 1, 2, 5, 3, [{"j": 4}, {"k": 6}], {"j": 4},
                       {"k": 6}, 4, 6])",
   ""},
  {nested, "$..o", R"([{"j": 1, "k": 2}])", R"(["$['o']"])"},
  {nested, "$.o..[*, *]", "[1, 2, 1, 2]",
   R"(["$['o']['j']", "$['o']['k']", "$['o']['j']", "$['o']['k']"])"},
  {nested, "$.a..[0, 1]", R"([5, 3, {"j": 4}, {"k": 6}])",
   R"(["$['a'][0]", "$['a'][1]", "$['a'][2][0]", "$['a'][2][1]"])"},
  // Table 17 (section 2.6).
  {nulls, "$.a", "[null]", R"(["$['a']"])"},
  {nulls, "$.a[0]", "[]", "[]"},
  {nulls, "$.a.d", "[]", "[]"},
  {nulls, "$.b[0]", "[null]", R"(["$['b'][0]"])"},
  {nulls, "$.b[*]", "[null]", R"(["$['b'][0]"])"},
  {nulls, "$.b[?@]", "[null]", R"(["$['b'][0]"])"},
  {nulls, "$.b[?@==null]", "[null]", R"(["$['b'][0]"])"},
  {nulls, "$.c[?@.d==null]", "[]", "[]"},
  {nulls, "$.null", "[1]", R"(["$['null']"])"},
  // Table 20 (section 2.7).
  {R"({"a": 1})", "$.a", "[1]", R"(["$['a']"])"},
  {letters, "$[1]", R"(["b"])", R"(["$[1]"])"},
  {"[1, 2, 3, 4, 5]", "$[-3]", "[3]", R"(["$[2]"])"},
  {R"({"a": {"b": [1, 2, 3]}})", "$.a.b[1:2]", "[2]", R"(["$['a']['b'][1]"])"},
  {R"({"\u000b": 1})", R"($["\u000B"])", "[1]", R"(["$['\\u000b']"])"},
  {R"({"a": 1})", R"($["\u0061"])", "[1]", R"(["$['a']"])"},
});

class Rfc9535Test : public ::testing::TestWithParam<Example> {};

TEST_P(Rfc9535Test, SelectsWhatTheRfcSays) {
  const auto& example = GetParam();
  const auto document = json(example.document);
  if (!example.values.empty()) {
    const auto values = eval_jsonpath(example.path, document, {.strict = true});
    ASSERT_TRUE(values) << values.error().to_string();
    EXPECT_EQ(sdk::to_json(*values), sdk::to_json(json(example.values)));
  }
  if (!example.places.empty()) {
    const auto places = eval_jsonpath(example.path, document, {.paths = true, .strict = true});
    ASSERT_TRUE(places) << places.error().to_string();
    EXPECT_EQ(sdk::to_json(*places), sdk::to_json(json(example.places)));
  }
}

INSTANTIATE_TEST_SUITE_P(Examples, Rfc9535Test, ::testing::ValuesIn(examples));

TEST(Rfc9535Test, SelectsEverythingBelowTheStore) {
  const auto all = eval_jsonpath("$..*", json(store));
  ASSERT_TRUE(all);
  EXPECT_EQ(all->size(), 27U);
}

// Table 11 (section 2.3.5.3).
struct ComparisonExample {
  std::string_view comparison;
  bool truth;
};

constexpr auto comparisons = std::to_array<ComparisonExample>({
  {"$.absent1 == $.absent2", true},
  {"$.absent1 <= $.absent2", true},
  {"$.absent == 'g'", false},
  {"$.absent1 != $.absent2", false},
  {"$.absent != 'g'", true},
  {"1 <= 2", true},
  {"1 > 2", false},
  {"13 == '13'", false},
  {"'a' <= 'b'", true},
  {"'a' > 'b'", false},
  {"$.obj == $.arr", false},
  {"$.obj != $.arr", true},
  {"$.obj == $.obj", true},
  {"$.obj != $.obj", false},
  {"$.arr == $.arr", true},
  {"$.arr != $.arr", false},
  {"$.obj == 17", false},
  {"$.obj != 17", true},
  {"$.obj <= $.arr", false},
  {"$.obj < $.arr", false},
  {"$.obj <= $.obj", true},
  {"$.arr <= $.arr", true},
  {"1 <= $.arr", false},
  {"1 >= $.arr", false},
  {"1 > $.arr", false},
  {"1 < $.arr", false},
  {"true <= true", true},
  {"true > true", false},
});

TEST(Rfc9535Test, ComparesAsTheRfcSays) {
  const auto document = json(R"({"obj": {"x": "y"}, "arr": [2, 3]})");
  for (const auto& [comparison, expected] : comparisons) {
    const auto truth = eval_condition(comparison, document);
    ASSERT_TRUE(truth) << comparison << ": " << truth.error().to_string();
    EXPECT_EQ(*truth, expected) << comparison;
  }
}

// Table 13 (section 2.4.9), for the functions there are.
TEST(Rfc9535Test, ChecksTypesAsTheRfcSays) {
  for (const std::string_view path :
       {"$[?length(@) < 3]", "$[?count(@.*) == 1]", "$[?match(@.timezone, 'Europe/.*')]",
        "$[?value(@..color) == \"red\"]"})
    EXPECT_TRUE(eval_jsonpath(path, {}, {.strict = true})) << path;
  for (const std::string_view path :
       {"$[?length(@.*) < 3]", "$[?count(1) == 1]", "$[?count(foo(@.*)) == 1]",
        "$[?match(@.timezone, 'Europe/.*') == true]", "$[?value(@..color)]", "$[?bar(@.a)]",
        "$[?bnl(@.*)]", "$[?blt(1==1)]", "$[?blt(1)]"})
    EXPECT_FALSE(eval_jsonpath(path, {}, {.strict = true})) << path;
}

}  // namespace
}  // namespace millrace::dsl::test
