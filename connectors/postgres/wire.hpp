// The Wire of PostgreSQL: libpq's pipeline mode on one loop of the reactor. Groups go out with a
// Sync each; nothing is answered before its Sync has come back.
#pragma once

#include "connectors/postgres/dialer.hpp"
#include "connectors/postgres/encode.hpp"
#include "connectors/postgres/handles.hpp"
#include "connectors/postgres/prepared.hpp"
#include "connectors/postgres/wire_result.hpp"
#include "connectors/sdk/database.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::postgres {

class PostgresWire final : public sdk::Wire, public std::enable_shared_from_this<PostgresWire> {
public:
  PostgresWire(const sdk::DatabaseSettings& settings, sdk::EventLoop& loop, sdk::WireEvents events);
  PostgresWire(const PostgresWire&) = delete;
  PostgresWire& operator=(const PostgresWire&) = delete;
  ~PostgresWire() override;

  void connect() override;
  void send(std::vector<sdk::WireEntry> entries) override;
  void cancel() override;
  void close() override;

private:
  struct Queued {
    sdk::WireEntry entry;
    std::uint8_t retried = 0;  // so often its prepared statement was stale
    bool direct = false;       // could not be prepared: the server shall say why, in its place
    PreparedPtr prepared = nullptr;  // looked up just before it is written
    bool about_unknown = false;      // what it asks about could not be prepared

    const std::string& sql() const noexcept {
      return entry.form ? entry.form->sql : entry.statement->sql;
    }

    const sdk::StatementOptions& options() const noexcept {
      return (entry.form ? entry.members.front().statement : entry.statement)->options;
    }
  };

  enum class Kind : std::uint8_t {
    settle,
    prepare,
    describe,
    look_up,
    inspect,
    entry,
    ignored,
    sync
  };

  /// Something that was written, in the order in which libpq answers.
  struct Pending {
    Kind kind = Kind::sync;
    ResultPtr result;
    Queued queued;                      // of an entry
    PreparedPtr prepared;               // of an entry, where it has one
    std::unique_ptr<RowsByRow> rows{};  // of an entry whose result is large
  };

  // wire.cpp: the connection and its descriptor
  void dialed(ConnectionPtr connection, std::optional<DialFailure> failure);
  void read_on();
  void readable();
  void process_on();
  void go_on();
  void flush();
  void lose(const sdk::Error& error, bool server_ended, bool may_retry = true);
  void report_unanswered(sdk::WireLoss& loss);
  void deliver();
  void hold_until(const std::function<void(std::function<void()>)>& ready);
  static void on_notice(void* self, const PGresult* notice);

  // wire_deadline.cpp: a server that does not end what takes too long
  void note_progress();
  void watch();
  void on_watch();
  void overdue(const Pending* victim, std::chrono::milliseconds limit);
  void abandon(const sdk::WireEntry& entry, bool written, std::chrono::milliseconds limit);
  void leave();
  void end_if_left();
  std::optional<std::chrono::milliseconds> limit_of(const sdk::WireEntry& entry) const;
  bool is_abandoned(std::uint64_t id) const;
  void cancel_now();

  // wire_write.cpp: what goes out
  void pump();

  std::deque<Queued>& source() { return again_.empty() ? queue_ : again_; }

  std::size_t group_size(const std::deque<Queued>& queue) const;
  const std::string* to_prepare(std::size_t size);
  bool prepare(const std::string& sql, const std::vector<Oid>& types);
  bool write_group(std::size_t size);
  bool write_settings(const Queued& queued);
  bool write_setting(const char* name, const std::string& value);
  bool write_entry(Queued queued);
  sdk::Status encode(const Queued& queued);
  bool write_sync();
  void deallocate(const std::string& name);
  void set_style();
  void write_aside(const std::string& sql);
  void limit_prepared(std::size_t size);
  bool refuse_misfit(std::size_t size);
  sdk::Status check_fit(const Queued& queued);
  void answer_group(std::size_t size, std::size_t guilty, const sdk::Error& error);

  // wire_read.cpp: what comes back
  void process();
  bool take(ResultPtr result);
  void finish_group(ResultPtr sync_error);
  void finish_preparing();
  bool look_up_types(const PGresult* described);
  void finish_look_up();
  void keep_prepared(const PreparedPtr& statement);
  void prepare_failed(const PreparedStatement& statement, const PGresult* failure);
  void finish_entries(const PGresult* sync_error);
  bool forget_stale(const Pending& pending);
  bool doubts_types(const Pending& pending);
  bool run_again();
  void answer_stale(Pending& pending);

  // wire_result.cpp: results, and the form in which they are asked for
  void answer(Pending& pending);
  std::unique_ptr<sdk::RawResult> take_result(Pending& pending);
  static void note_size(const Pending& pending);
  void read_by_row();
  void choose_form(PreparedStatement& statement) const;
  int result_format(const PreparedStatement* statement);
  bool in_our_style();

  // wire_alone.cpp: what a connection does alone, and what nobody asked for
  struct Alone;
  static bool is_alone(const Queued& queued);
  void separate_alone();
  bool begin_alone();
  bool advance_alone();
  void fail_alone(const sdk::Error& error);
  bool send_stream();
  void take_row(ResultPtr row);
  void push_rows();
  void end_stream();
  void cancel_stream();
  void hear();

  // wire_copy.cpp: rows in bulk
  bool inspect_columns();
  void finish_inspecting();
  void start_copy(std::string_view before);
  void copy_rows();
  void encode_rows();
  void put_rows();
  void resume_copy();
  void process_copy();
  void take_copy_result(ResultPtr result);
  void end_copy();

  const sdk::DatabaseSettings settings_;
  sdk::EventLoop& loop_;
  sdk::WireEvents events_;
  std::shared_ptr<sdk::LoopGate> gate_;
  std::shared_ptr<Dialer> dialer_;
  ConnectionPtr connection_;
  boost::asio::posix::stream_descriptor descriptor_;
  std::deque<Queued> queue_;
  std::deque<Queued> again_;  // go out before the queue
  std::deque<Pending> pending_;
  std::vector<Pending> group_;  // answered in part: waits for its Sync
  std::vector<sdk::WireAnswer> answers_;
  PreparedStatements statements_;
  PreparedPtr preparing_;  // nothing else goes out until the server has described it
  PreparedPtr doubted_;    // is prepared anew, to see whether its parameters have other types now
  bool preparing_typed_ = false;
  std::vector<Oid> looked_up_;  // types of the database's users that it has to do with
  std::shared_ptr<const UserTypes> user_types_ = std::make_shared<UserTypes>();
  EncodedParameters parameters_;
  std::size_t in_flight_ = 0;  // entries
  std::uint64_t syncs_out_ = 0;
  std::uint64_t syncs_back_ = 0;
  std::uint64_t unsure_until_ = 0;   // so many Syncs are back: something may change settings
  std::optional<bool> style_;        // of dates and the like; none: the server may have said more
  std::optional<sdk::Error> fatal_;  // the server's farewell
  std::chrono::steady_clock::time_point progress_;  // the server gave a sign, or work began
  std::vector<std::uint64_t> abandoned_;            // answered before the server did
  sdk::TimerId watch_timer_ = 0;
  sdk::TimerId leave_timer_ = 0;
  bool limited_ = false;          // some statement has a limit of time
  bool idle_ = true;              // nothing was under way
  bool explicit_ = false;         // somebody's own transaction is open, or was a moment ago
  bool leaving_ = false;          // takes no more work; ends when what is under way is answered
  std::unique_ptr<Alone> alone_;  // at work; nothing else goes out
  std::weak_ptr<sdk::NotificationListener> listener_;
  bool reading_ = false;
  bool held_ = false;        // nobody takes what comes in: it is not read
  bool cancelling_ = false;  // nothing goes out that the cancel could hit by mistake
  bool writing_ = false;
  bool closed_ = false;
};

}  // namespace millrace::postgres
