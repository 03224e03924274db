// A catalogue for tests of the DSL: the names and options of real connectors, without what they do.
#pragma once

#include "connectors/sdk/connector.hpp"
#include "connectors/sdk/database.hpp"

#include <array>
#include <span>

namespace millrace::test {

namespace fakes {

struct FakeSource final : sdk::Source {
  sdk::Status start(const sdk::SourceContext&) override { return {}; }

  void stop() override {}
};

struct FakeStep final : sdk::Step {
  void process(sdk::Batch batch, sdk::StepDone done) override { done(std::move(batch), {}); }
};

inline sdk::SourceFactory source_of(sdk::ConfigReader& in) {
  if (!in.finish())
    return {};
  return [] { return std::make_unique<FakeSource>(); };
}

inline sdk::StepFactory step_of(sdk::ConfigReader& in) {
  if (!in.finish())
    return {};
  return [] { return std::make_unique<FakeStep>(); };
}

inline sdk::SourceFactory read_file(sdk::ConfigReader& in) {
  std::string path;
  std::string format = "jsonl";
  in.required("path", path, "File to read; `*` stands for any text");
  in.choice<std::string>("format", format, {{"jsonl", "jsonl"}, {"csv", "csv"}, {"text", "text"}},
                         "Format");
  return source_of(in);
}

inline sdk::StepFactory write_file(sdk::ConfigReader& in) {
  std::string path;
  sdk::ExpressionPtr value;
  in.required("path", path, "File to write");
  in.optional("value", value, "What is written; default: the last output");
  return step_of(in);
}

inline sdk::SourceFactory read_timer(sdk::ConfigReader& in) {
  std::chrono::milliseconds every{0};
  in.required("every", every, "Time between two ticks");
  return source_of(in);
}

inline sdk::SourceFactory read_cron(sdk::ConfigReader& in) {
  std::string cron;
  std::string zone = "UTC";
  in.required("cron", cron, "When");
  in.optional("timeZone", zone, "Time zone");
  return source_of(in);
}

inline sdk::SourceFactory read_stdin(sdk::ConfigReader& in) {
  return source_of(in);
}

inline sdk::StepFactory write_stdout(sdk::ConfigReader& in) {
  sdk::ExpressionPtr value;
  in.optional("value", value, "What is written; default: the last output");
  return step_of(in);
}

class FakeDriver final : public sdk::DatabaseDriver {
public:
  std::string_view name() const noexcept override { return "fake"; }

  std::uint32_t connection_limit(const sdk::DatabaseSettings&) const override { return 10; }

  std::uint32_t lane_limit(const sdk::DatabaseSettings&) const override { return 1; }

  bool keeps_connection(const sdk::DatabaseSettings&) const override { return false; }

  std::string begin_sql(const sdk::TransactionOptions&) const override { return "BEGIN"; }

  std::string_view current_datetime_sql() const noexcept override { return "CURRENT_TIMESTAMP"; }

  std::string_view current_date_sql() const noexcept override { return "CURRENT_DATE"; }

  sdk::Status check(const sdk::DatabaseSettings&) const override { return {}; }

  std::shared_ptr<sdk::Wire> make_wire(const sdk::DatabaseSettings&, sdk::EventLoop&,
                                       sdk::WireEvents) const override {
    return nullptr;
  }
};

inline const sdk::DatabaseDriver* driver() {
  static const FakeDriver fake;
  return &fake;
}

inline constexpr std::array<sdk::Operation, 2> file_operations{{
  {.name = "read",
   .doc = "Reads files",
   .source = read_file,
   .rereads = true,
   .guarantee = "at least once"},
  {.name = "write", .doc = "Writes a file", .step = write_file, .effects = sdk::Effects::external},
}};
inline constexpr std::array<sdk::Operation, 2> timer_operations{{
  {.name = "every", .doc = "Ticks", .source = read_timer},
  {.name = "cron", .doc = "Ticks by a calendar", .source = read_cron},
}};
inline constexpr std::array<sdk::Operation, 1> stdin_operations{
  {{.name = "", .doc = "Reads lines", .source = read_stdin}}};
inline constexpr std::array<sdk::Operation, 1> stdout_operations{
  {{.name = "", .doc = "Writes lines", .step = write_stdout, .effects = sdk::Effects::external}}};
inline constexpr std::array<sdk::Operation, 1> drop_operations{
  {{.name = "", .doc = "Swallows records", .step = step_of}}};

inline constexpr sdk::Connector file{.name = "file", .doc = "Files", .operations = file_operations};
inline constexpr sdk::Connector timer{
  .name = "timer", .doc = "Ticks", .operations = timer_operations};
inline constexpr sdk::Connector standard_in{
  .name = "stdin", .doc = "Standard input", .operations = stdin_operations};
inline constexpr sdk::Connector standard_out{
  .name = "stdout", .doc = "Standard output", .operations = stdout_operations};
inline constexpr sdk::Connector drop{
  .name = "drop", .doc = "Nowhere", .operations = drop_operations};
inline constexpr sdk::Connector postgres{
  .name = "postgres", .doc = "PostgreSQL", .operations = {}, .database = driver};
inline constexpr sdk::Connector sqlite{
  .name = "sqlite", .doc = "SQLite", .operations = {}, .database = driver};

inline constexpr std::array<const sdk::Connector*, 7> all{
  &file, &timer, &standard_in, &standard_out, &drop, &postgres, &sqlite};

}  // namespace fakes

inline std::span<const sdk::Connector* const> fake_connectors() {
  return fakes::all;
}

}  // namespace millrace::test
