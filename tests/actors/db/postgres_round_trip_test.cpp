// Whatever a column holds comes out as a value, goes back in as a parameter, and is the same: for
// PostgreSQL's own types and for those that users make of them, with values made at random.
#include "connectors/sdk/json.hpp"
#include "tests/actors/db/postgres_fixture.hpp"
#include "tests/actors/db/postgres_type_cases.hpp"

#include <algorithm>
#include <array>
#include <iostream>
#include <map>
#include <random>

namespace millrace::actors {
namespace {

using sdk::Value;

class PostgresRoundTripTest : public PostgresTest {
protected:
  void prepare() override {
    open();
    EXPECT_TRUE(pool_->run("DROP SCHEMA IF EXISTS " + test_schema() + " CASCADE"));
    EXPECT_TRUE(pool_->run("CREATE SCHEMA " + test_schema()));
    for (const auto& sql : types_of_users())
      EXPECT_TRUE(pool_->run(sql)) << sql;
  }

  void TearDown() override {
    if (pool_)
      static_cast<void>(pool_->run("DROP SCHEMA " + test_schema() + " CASCADE"));
  }

  /// Makes rows of the type, reads them, and writes what was read into another table.
  void there_and_back(const TypeCase& type, double seed, bool one_by_one) {
    SCOPED_TRACE(type.type);
    // Other tables for each type: a statement's parameters keep the types that they once had.
    const auto number = std::to_string(++tables_);
    const auto given_table = "given" + number;
    const auto taken_table = "taken" + number;
    for (const auto& table : {given_table, taken_table}) {
      ASSERT_TRUE(pool_->run("CREATE TABLE " + table + " (i INTEGER, v " + type.type + ")"));
    }
    {
      const auto session = pool_->begin();
      ASSERT_TRUE(session);
      ASSERT_TRUE(run(*session, "SELECT setseed($1)", {Value{seed}}));
      const auto made = run(*session, "INSERT INTO " + given_table + " SELECT i, " + type.made_by
                                        + " FROM generate_series(0, 19) i");
      ASSERT_TRUE(made) << made.error().to_string();
      ASSERT_TRUE(commit(*session));
    }
    const auto given = pool_->rows("SELECT i, v FROM " + given_table + " ORDER BY i");
    sdk::Statement insert{.sql = "INSERT INTO " + taken_table + " VALUES ($1, $2)", .sets = {}};
    for (const auto& row : given.items())
      insert.sets.push_back({*row.find("i"), *row.find("v")});
    if (one_by_one) {
      for (auto& set : insert.sets) {
        const auto taken = pool_->run(insert.sql, set);
        ASSERT_TRUE(taken) << sdk::to_json(set[1]) << ": " << taken.error().to_string();
      }
    } else {
      const auto replies = pool_->run(insert);
      for (std::size_t i = 0; i < replies.results.size(); ++i) {
        ASSERT_TRUE(replies.results[i])
          << sdk::to_json(insert.sets[i][1]) << ": " << replies.results[i].error().to_string();
      }
    }
    const auto others = pool_->rows("SELECT g.v::text AS given, t.v::text AS taken FROM "
                                    + given_table + " g FULL JOIN " + taken_table
                                    + " t USING (i) WHERE g.v::text IS DISTINCT FROM t.v::text");
    EXPECT_EQ(others.size(), 0U) << sdk::to_json(others);
    const auto again = pool_->rows("SELECT i, v FROM " + taken_table + " ORDER BY i");
    EXPECT_EQ(sdk::to_json(again), sdk::to_json(given));
  }

  /// The rows of a query, by their `i`.
  static std::map<std::int64_t, std::string> by_number(const Value& rows) {
    std::map<std::int64_t, std::string> found;
    for (const auto& row : rows.items())
      found.emplace(row.find("i")->as_integer(), sdk::to_json(*row.find("v")));
    return found;
  }

  /// Why statements did not go in a better way.
  std::string reasons() {
    std::string all;
    for (const auto& statement : pool_->info().by_statement)
      all.append("\n")
        .append(statement.sql)
        .append(": ")
        .append(statement.not_shared)
        .append("; ")
        .append(statement.not_in_set);
    return all;
  }

  /// Sends every value back, by a statement that gives it back and by one that keeps it, until the
  /// pool knows its costs. @returns how many sets of both went in each way, at the most.
  std::array<std::uint64_t, 3> send_back(const TypeCase& type, const Value& given,
                                         const std::string& echo, const std::string& insert,
                                         const std::string& table) {
    SCOPED_TRACE(type.type + " by " + echo);
    const auto expected = by_number(given);
    std::array<std::uint64_t, 3> echo_ways{};
    std::array<std::uint64_t, 3> keep_ways{};
    const auto note = [this](auto& ways, const auto& before) {
      const auto after = pool_->info().by_way;
      for (std::size_t way = 0; way < ways.size(); ++way)
        ways[way] = std::max(ways[way], after[way] - before[way]);
    };
    constexpr int until_costs_are_known = 6;
    for (int round = 0; round <= until_costs_are_known; ++round) {
      EXPECT_TRUE(pool_->run("DELETE FROM " + table));
      const auto before = pool_->info().by_way;
      sdk::Statement back{.sql = echo, .sets = {}};
      for (const auto& row : given.items())
        back.sets.push_back({*row.find("i"), *row.find("v")});
      auto keep = back;
      keep.sql = insert;
      std::map<std::int64_t, std::string> echoed;
      for (const auto& result : pool_->run(back).results) {
        EXPECT_TRUE(result) << result.error().to_string();
        if (result)
          echoed.merge(by_number(result->rows));
      }
      EXPECT_EQ(echoed, expected);
      note(echo_ways, before);
      const auto between = pool_->info().by_way;
      for (const auto& result : pool_->run(keep).results)
        EXPECT_TRUE(result) << result.error().to_string();
      note(keep_ways, between);
      EXPECT_EQ(by_number(pool_->rows("SELECT i, v FROM " + table)), expected);
      if (HasFailure())
        break;
    }
    for (std::size_t way = 0; way < echo_ways.size(); ++way)
      echo_ways[way] += keep_ways[way];
    return echo_ways;
  }

  int tables_ = 0;
};

TEST_F(PostgresRoundTripTest, GivesBackWhatItTook) {
  const std::uint64_t number = std::random_device{}();
  std::cout << "seed " << number << std::endl;
  SCOPED_TRACE("seed " + std::to_string(number));
  std::mt19937_64 random{number};
  for (const auto& type : type_cases()) {
    const auto seed = std::uniform_real_distribution{-1.0, 1.0}(random);
    there_and_back(type, seed, false);  // many in one message
    there_and_back(type, seed, true);   // each on its own
  }
}

TEST_F(PostgresRoundTripTest, GivesBackWhatItTookWithoutBatching) {
  std::mt19937_64 random{std::random_device{}()};
  case_.settings.pool.lane_depth = 1;
  open();
  for (const auto& type : type_cases())
    there_and_back(type, std::uniform_real_distribution{-1.0, 1.0}(random), false);
}

TEST_F(PostgresRoundTripTest, GivesBackWhatItTookInEachOfTheThreeWays) {
  const std::uint64_t number = std::random_device{}();
  std::cout << "seed " << number << std::endl;
  SCOPED_TRACE("seed " + std::to_string(number));
  std::mt19937_64 random{number};
  std::array<int, 3> types{};
  for (const std::size_t way : {0, 1, 2}) {
    case_.settings.batching = way > 0;
    case_.settings.pool.max_size = 1;  // so that what waits is one queue
    open();
    for (const auto& type : type_cases()) {
      const auto table = "way" + std::to_string(++tables_);
      ASSERT_TRUE(pool_->run("CREATE TABLE " + table + " (i INTEGER, v " + type.type + ")"));
      const auto session = pool_->begin();
      ASSERT_TRUE(session);
      ASSERT_TRUE(run(*session, "SELECT setseed($1)",
                      {Value{std::uniform_real_distribution{-1.0, 1.0}(random)}}));
      const auto made = run(*session, "SELECT i, (" + type.made_by + ")::" + type.type
                                        + " AS v FROM generate_series(0, 19) i ORDER BY i");
      ASSERT_TRUE(made) << made.error().to_string();
      ASSERT_TRUE(commit(*session));
      // What gives another value each time has no set form, nor has what gives its rows back.
      const std::string shared_only = way == 1 ? ", random() < 2 AS r" : "";
      const auto ways = send_back(
        type, made->rows,
        "SELECT $1::int4 AS i, $2::" + type.type + " AS v" + shared_only + " /* " + table + " */",
        "INSERT INTO " + table + " (i, v) VALUES ($1, $2)" + (way == 1 ? " RETURNING i" : ""),
        table);
      types[way] += ways[way] >= 40 ? 1 : 0;
      // A range of a user's comes with a cast of its own; lists of lists, or of rows, are no
      // parameter sets.
      const bool range = type.type.starts_with("span");
      const bool list = type.type.ends_with("[]") || type.type == "numbers" || type.type == "place";
      const bool may_differ = (way > 0 && range) || (way == 2 && list);
      EXPECT_TRUE(ways[way] >= 40 || may_differ) << type.type << " in way " << way << reasons();
      if (HasFailure())
        return;
    }
  }
  std::cout << "of " << type_cases().size() << " types " << types[0] << " with a Sync each, "
            << types[1] << " under a shared one, " << types[2] << " in set form\n";
}

TEST_F(PostgresRoundTripTest, NamesTheTypesThatUsersMade) {
  const auto result = pool_->run(
    "SELECT 'happy'::mood AS a, ARRAY['happy'::mood] AS b, NULL::place AS c, ARRAY[1::positive] AS "
    "d, '{1,2}'::numbers AS e");
  ASSERT_TRUE(result) << result.error().to_string();
  std::string types;
  for (const auto& column : result->shape->columns())
    types.append(column.type).append(" ");
  // The server itself says of a domain what it is made of.
  EXPECT_EQ(types, "mood mood[] place positive[] int4[] ");
  EXPECT_EQ(sdk::to_json(result->rows),
            R"([{"a":"happy","b":["happy"],"c":null,"d":[1],"e":[1,2]}])");
}

TEST_F(PostgresRoundTripTest, TakesListsWhereListsOfUsersTypesAreWanted) {
  ASSERT_TRUE(pool_->run("CREATE TABLE moods (m mood[], n numbers, d document)"));
  ASSERT_TRUE(pool_->run("INSERT INTO moods VALUES ($1, $2, $3)",
                         {Value::array({Value{"so, so"}, Value{}}),
                          Value::array({Value{1}, Value{2}}), Value{"a string"}}));
  EXPECT_EQ(sdk::to_json(pool_->rows("SELECT * FROM moods")),
            R"([{"m":["so, so",null],"n":[1,2],"d":"a string"}])");
}

}  // namespace
}  // namespace millrace::actors
