// What a wire makes of results: the form in which they are asked for, and whole results, or large
// ones row by row while the server still sends.
#include "connectors/postgres/wire_result.hpp"

#include "connectors/postgres/errors.hpp"
#include "connectors/postgres/wire.hpp"

#include <algorithm>
#include <utility>

namespace millrace::postgres {

namespace {

// Holds the server's answer until an actor decodes it.
class HeldResult : public sdk::RawResult {
public:
  std::size_t bytes() const noexcept override { return PQresultMemorySize(result_.get()); }

protected:
  HeldResult(ResultPtr result, std::shared_ptr<ShapeSlot> shape)
    : result_{std::move(result)}, shape_{std::move(shape)} {}

  // @returns what `decode` makes of the answer, which is let go then.
  template <class Decode>
  auto decode_with(Decode decode) {
    auto decoded = decode(result_.get(), *shape_);
    result_.reset();
    return decoded;
  }

private:
  ResultPtr result_;
  std::shared_ptr<ShapeSlot> shape_;
};

class PostgresResult final : public HeldResult {
public:
  PostgresResult(ResultPtr result, std::shared_ptr<ShapeSlot> shape,
                 std::shared_ptr<const std::string> sql)
    : HeldResult{std::move(result), std::move(shape)}, sql_{std::move(sql)} {}

  sdk::Result<sdk::SqlResult> decode() override {
    return decode_with([this](PGresult* result, ShapeSlot& shape) {
      return decode_result(result, shape, std::move(sql_));
    });
  }

private:
  std::shared_ptr<const std::string> sql_;
};

// The answer to an entry in set form. The columns that number the rows are of no interest, so the
// shape is another one than the statement's own.
class PostgresMembers final : public HeldResult {
public:
  PostgresMembers(ResultPtr result, const PreparedPtr& prepared,
                  std::shared_ptr<const sdk::SetForm> form, std::size_t members)
    : HeldResult{std::move(result), prepared ? prepared->shape : std::make_shared<ShapeSlot>()},
      form_{std::move(form)},
      members_{members} {}

  sdk::Result<sdk::SqlResult> decode() override {
    return sdk::Error{sdk::ErrorKind::internal, "it is the result of a set"};
  }

  sdk::Result<std::vector<sdk::SqlResult>> decode_members() override {
    return decode_with([this](PGresult* result, ShapeSlot& shape) {
      return postgres::decode_members(result, shape, *form_, members_);
    });
  }

private:
  std::shared_ptr<const sdk::SetForm> form_;
  std::size_t members_;
};

// Rows that the wire has decoded already.
class ReadyRows final : public sdk::RawResult {
public:
  ReadyRows(sdk::Result<sdk::SqlResult> result, std::size_t bytes)
    : result_{std::move(result)}, bytes_{bytes} {}

  std::size_t bytes() const noexcept override { return bytes_; }

  sdk::Result<sdk::SqlResult> decode() override { return std::move(result_); }

private:
  sdk::Result<sdk::SqlResult> result_;
  std::size_t bytes_;
};

constexpr std::size_t large_rows = 256;
constexpr std::size_t large_bytes = 32UL * 1024;

}  // namespace

// --- large results

RowsByRow::RowsByRow(std::shared_ptr<ShapeSlot> slot) : slot_{std::move(slot)} {
}

void RowsByRow::take(const PGresult* row) {
  if (!reader_) {
    take_shape(row, *slot_);
    reader_.emplace(row, *slot_);
  }
  sdk::Value object;
  good_ = good_ && reader_->read(row, 0, object);
  rows_.push_back(std::move(object));
}

std::unique_ptr<sdk::RawResult> RowsByRow::finish(PGresult* last,
                                                  std::shared_ptr<const std::string> sql) {
  const auto bytes = reader_ ? reader_->bytes() : 0;
  if (!good_)
    return std::make_unique<ReadyRows>(RowReader::failure(), bytes);
  take_shape(last, *slot_);
  return std::make_unique<ReadyRows>(sdk::SqlResult{.rows = std::move(rows_),
                                                    .rowcount = row_count(last),
                                                    .shape = slot_->shape,
                                                    .command = PQcmdStatus(last),
                                                    .sql = std::move(sql)},
                                     bytes);
}

// To be called when the front of what is pending is another: libpq decides how to read it by what
// it was told before its first row.
void PostgresWire::read_by_row() {
  if (pending_.empty() || pending_.front().kind != Kind::entry || pending_.front().rows)
    return;
  auto& front = pending_.front();
  const auto& statement = front.queued.entry.statement;
  if (front.queued.entry.form || !front.prepared || !front.prepared->large || statement->stream)
    return;
  if (PQsetSingleRowMode(connection_.get()) == 1)
    front.rows = std::make_unique<RowsByRow>(front.prepared->rows_shape);
}

// --- the form of results

void PostgresWire::choose_form(PreparedStatement& statement) const {
  constexpr Oid interval = 1186;  // since version 17 there are infinite ones
  constexpr Oid interval_list = 1187;
  const bool old = PQserverVersion(connection_.get()) < 170'000;
  auto form = statement.may_set ? ResultForm::text : ResultForm::binary;
  for (const auto type : statement.columns) {
    const auto read_as = user_types_->stands_for(type);
    const bool known = binary_reader(read_as) != nullptr && user_types_->same_in_binary(type)
                       && (old || (read_as != interval && read_as != interval_list));
    if (!known) {
      statement.form = ResultForm::text;
      return;
    }
    if (has_style(read_as) && form == ResultForm::binary)
      form = ResultForm::binary_in_style;
  }
  statement.form = form;
}

// What libpq calls the format: 1 is binary.
int PostgresWire::result_format(const PreparedStatement* statement) {
  if (statement == nullptr || statement->form == ResultForm::text)
    return 0;
  return statement->form == ResultForm::binary || in_our_style() ? 1 : 0;
}

// The server tells what its settings are at each Sync; what is under way and could change them is
// to be waited for.
bool PostgresWire::in_our_style() {
  if (syncs_back_ < unsure_until_)
    return false;
  if (!style_) {
    const auto is = [this](const char* name, std::string_view wanted) {
      const char* value = PQparameterStatus(connection_.get(), name);
      return value != nullptr && std::string_view{value}.starts_with(wanted);
    };
    style_ = is("DateStyle", "ISO") && is("IntervalStyle", "iso_8601")
             && (is("TimeZone", "UTC") || is("TimeZone", "Etc/UTC"));
  }
  return *style_;
}

// --- answers

// What was large will be so again.
void PostgresWire::note_size(const Pending& pending) {
  if (pending.queued.entry.form || pending.queued.entry.statement->stream)
    return;
  const auto* result = pending.result.get();
  const auto rows = pending.rows ? pending.rows->size()
                                 : static_cast<std::size_t>(PQntuples(result));
  pending.prepared->large = rows >= large_rows
                            && (pending.rows || PQresultMemorySize(result) >= large_bytes);
}

void PostgresWire::answer(Pending& pending) {
  const auto id = pending.queued.entry.id;
  if (!is_good(pending.result.get())) {
    answers_.push_back({id, to_error(pending.result.get(), pending.queued.entry), false});
    return;
  }
  const auto& entry = pending.queued.entry;
  if (entry.form) {
    std::unique_ptr<sdk::RawResult> raw = std::make_unique<PostgresMembers>(
      std::move(pending.result), pending.prepared, entry.form, entry.members.size());
    answers_.push_back({id, std::move(raw), false, true});
    return;
  }
  answers_.push_back({id, take_result(pending), false});
}

std::unique_ptr<sdk::RawResult> PostgresWire::take_result(Pending& pending) {
  // DEALLOCATE ALL, DISCARD ALL: the names are gone.
  const std::string_view tag = PQcmdStatus(pending.result.get());
  if (tag.starts_with('D') && tag.ends_with(" ALL"))
    statements_.clear();
  const auto& statement = pending.queued.entry.statement;
  if (pending.prepared)
    note_size(pending);
  auto sql = pending.prepared ? pending.prepared->sql
                              : std::shared_ptr<const std::string>{statement, &statement->sql};
  if (pending.rows)
    return pending.rows->finish(pending.result.get(), std::move(sql));
  auto shape = pending.prepared ? pending.prepared->shape : std::make_shared<ShapeSlot>();
  return std::make_unique<PostgresResult>(std::move(pending.result), std::move(shape),
                                          std::move(sql));
}

}  // namespace millrace::postgres
