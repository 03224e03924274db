#include "connectors/redis/connection.hpp"

#include "connectors/asio/resolver.hpp"
#include "connectors/redis/errors.hpp"

#include <utility>

namespace millrace::redis {
namespace {

constexpr std::size_t input_bytes = 64UL * 1024;

}  // namespace

std::shared_ptr<Connection> Connection::open(ServerPtr server, sdk::EventLoop& loop,
                                             std::shared_ptr<TlsClient> tls,
                                             std::weak_ptr<ConnectionUser> user) {
  std::shared_ptr<Connection> made{
    new Connection{std::move(server), loop, std::move(tls), std::move(user)}};
  made->start();
  return made;
}

Connection::Connection(ServerPtr server, sdk::EventLoop& loop, std::shared_ptr<TlsClient> tls,
                       std::weak_ptr<ConnectionUser> user)
  : server_{std::move(server)},
    loop_{loop},
    tls_{std::move(tls)},
    user_{std::move(user)},
    gate_{std::make_shared<sdk::LoopGate>(loop)},
    reader_{server_->max_reply},
    input_(input_bytes) {
}

Connection::~Connection() {
  gate_->shut();
}

void Connection::start() {
  patience_ = loop_.after(server_->connect_timeout, [weak = weak_from_this()] {
    if (const auto self = weak.lock())
      self->fail("it took longer than 'connectTimeout'");
  });
  if (!server_->socket.empty())
    return resolved({server_->socket});
  asio::Resolver::shared().resolve(
    server_->host, gate_, [weak = weak_from_this()](const asio::ResolvedName& found) {
      const auto self = weak.lock();
      if (!self || self->phase_ == Phase::closed)
        return;
      if (!found || found->empty())
        self->fail("its name cannot be looked up"
                   + (found ? std::string{} : ": " + found.error().message()));
      else
        self->resolved(*found);
    });
}

void Connection::resolved(std::vector<std::string> addresses) {
  addresses_ = std::move(addresses);
  try_next({});
}

void Connection::try_next(std::string problem) {
  if (phase_ == Phase::closed)
    return;
  if (tried_ == addresses_.size())
    return fail(problem);
  transport_ = tls_ ? tls_->transport(loop_) : plain_transport(loop_);
  const Target target{addresses_[tried_++],
                      server_->socket.empty() ? server_->port : std::uint16_t{}};
  transport_->open(target, [self = shared_from_this()](const std::string& refused) {
    if (refused.empty())
      self->opened();
    else
      self->try_next(refused);
  });
}

// HELLO says the version, who we are and our name at once.
void Connection::opened() {
  if (phase_ == Phase::closed)
    return;
  phase_ = Phase::hello;
  std::vector<std::string> hello{"HELLO", "3"};
  if (const auto password = server_->password.current(); !password.empty())
    hello.insert(hello.end(),
                 {"AUTH", server_->username.empty() ? "default" : server_->username, password});
  hello.insert(hello.end(), {"SETNAME", server_->client_name});
  greetings_ = 1;
  std::string commands;
  append_command(commands, hello);
  send(commands);
  read();
}

// Servers before Redis 6 know no HELLO.
void Connection::greet_plainly() {
  phase_ = Phase::plain_greeting;
  std::string commands;
  const auto add = [&](std::initializer_list<std::string_view> words) {
    append_command(commands, words);
    ++greetings_;
  };
  const auto password = server_->password.current();
  if (!password.empty() && server_->username.empty())
    add({"AUTH", password});
  else if (!password.empty())
    add({"AUTH", server_->username, password});
  add({"CLIENT", "SETNAME", server_->client_name});
  if (server_->database != 0)
    add({"SELECT", std::to_string(server_->database)});
  send(commands);
}

void Connection::on_greeting(const Reply& reply) {
  --greetings_;
  if (reply.is(Reply::Kind::error)) {
    const auto code = code_of(reply.text);
    const bool unknown = code == "NOPROTO" || reply.text.starts_with("ERR unknown command");
    if (phase_ == Phase::hello && unknown)
      return greet_plainly();
    const bool about_us = is_about_credentials(reply.text) || reply.text.starts_with("ERR DB index")
                          || reply.text.starts_with("ERR invalid DB index");
    auto error = refused(reply.text, server_->name);
    return fail({{sdk::ErrorKind::connection,
                  "server '" + server_->name
                    + "' refused the connection: " + (about_us ? reply.text : std::string{code}),
                  {.hint = error.hint(), .code = std::string{code}, .retryable = !about_us}},
                 about_us});
  }
  if (greetings_ > 0)
    return;
  if (phase_ == Phase::hello && server_->database != 0) {
    phase_ = Phase::plain_greeting;
    greetings_ = 1;
    std::string select;
    append_command(select, {"SELECT", std::to_string(server_->database)});
    return send(select);
  }
  phase_ = Phase::ready;
  loop_.cancel(std::exchange(patience_, 0));
  if (const auto user = user_.lock())
    user->on_ready();
}

void Connection::send(std::string_view commands) {
  next_ += commands;
  write();
}

// What was given to us while the system was busy goes out at once.
void Connection::write() {
  if (!writing_.empty() || next_.empty() || phase_ == Phase::closed)
    return;
  std::swap(writing_, next_);
  transport_->write(writing_, [self = shared_from_this()](const std::string& problem) {
    self->writing_.clear();
    constexpr std::size_t roomy = 1024UL * 1024;
    if (self->writing_.capacity() > roomy)
      self->writing_.shrink_to_fit();
    if (self->phase_ == Phase::closed)
      return;
    // Why it was closed stands in what can still be read.
    if (problem.empty())
      self->write();
  });
}

void Connection::pause(bool on) {
  paused_ = on;
  if (!on && !reading_ && (phase_ == Phase::ready))
    took(0, {});
}

void Connection::read() {
  if (reading_ || paused_ || phase_ == Phase::closed)
    return;
  reading_ = true;
  transport_->read(input_,
                   [self = shared_from_this()](std::size_t bytes, const std::string& problem) {
                     self->reading_ = false;
                     self->took(bytes, problem);
                   });
}

void Connection::took(std::size_t bytes, const std::string& problem) {
  if (phase_ == Phase::closed)
    return;
  if (bytes > 0) {
    last_read_ = sdk::system_clock().now();
    reader_.feed({input_.data(), bytes});
  }
  Reply reply;
  while (!paused_ || phase_ != Phase::ready) {
    switch (reader_.next(reply)) {
    case ReplyReader::Step::reply:
      if (!deliver(std::move(reply)))
        return;
      continue;
    case ReplyReader::Step::too_large:
      return fail({{sdk::ErrorKind::data,
                    "a reply of server '" + server_->name + "' is larger than maxReply",
                    {.hint = "'maxReply' of the server says how large one may be"}},
                   false,
                   true});
    case ReplyReader::Step::broken:
      return fail("what it says is not the protocol of Redis");
    case ReplyReader::Step::need_more:
      break;
    }
    break;
  }
  if (!problem.empty())
    return fail(problem);
  read();
}

// @returns whether we are still open.
bool Connection::deliver(Reply reply) {
  if (phase_ != Phase::ready) {
    on_greeting(reply);
    return phase_ != Phase::closed;
  }
  const auto user = user_.lock();
  if (!user) {
    close();
    return false;
  }
  if (reply.is(Reply::Kind::push))
    user->on_push(std::move(reply));
  else
    user->on_reply(std::move(reply));
  return phase_ != Phase::closed;
}

void Connection::fail(const std::string& why) {
  fail(ConnectionEnd{unreachable(server_->name, why)});
}

void Connection::fail(ConnectionEnd end) {
  if (phase_ == Phase::closed)
    return;
  const auto self = shared_from_this();
  close();
  if (const auto user = user_.lock())
    user->on_closed(end);
}

void Connection::close() {
  phase_ = Phase::closed;
  loop_.cancel(std::exchange(patience_, 0));
  gate_->shut();
  if (transport_)
    transport_->close();
}

}  // namespace millrace::redis
