// Connection, the part that reads requests; connection_write.cpp answers them.
#include "connectors/http/connection.hpp"

#include "connectors/http/intake.hpp"
#include "connectors/http/port.hpp"
#include "connectors/http/target.hpp"

#include <algorithm>
#include <utility>

namespace millrace::http {
namespace {

constexpr std::size_t small_read = 2048;  // kept by every idle connection
constexpr std::size_t large_read = 32UL * 1024UL;
constexpr std::size_t large_body = 64UL * 1024UL;  // decoded off the reactor
constexpr std::size_t record_bytes = 256;          // what a record costs beside its payload
constexpr std::size_t most_dropped = 1024UL * 1024UL;

Response overloaded(std::string_view detail, std::string_view request_id = {}) {
  auto response = problem(503, detail, request_id);
  response.headers.emplace_back("retry-after", "1");
  return response;
}

}  // namespace

Connection::Connection(std::unique_ptr<Stream> stream, std::shared_ptr<Traffic> traffic,
                       std::shared_ptr<ConnectionSet> all, sdk::EventLoop& loop)
  : stream_{std::move(stream)},
    traffic_{std::move(traffic)},
    all_{std::move(all)},
    loop_{loop},
    parser_{traffic_->limits().head_bytes} {
}

Connection::~Connection() {
  all_->remove(this);
}

void Connection::start() {
  set_deadline(traffic_->limits().head);
  stream_->open(shared_from_this());
}

void Connection::on_open(bool ok) {
  if (phase_ != Phase::opening)
    return;
  if (!ok) {
    close();
    return;
  }
  phase_ = Phase::idle;
  read();  // the first request has the time of a head
}

void Connection::begin_request() {
  parser_.next();
  phase_ = Phase::idle;
  set_deadline(traffic_->limits().idle);
  advance();
}

void Connection::read() {
  if (reading_ || phase_ == Phase::closed || peer_closed_)
    return;
  const auto size = phase_ == Phase::body || phase_ == Phase::lingering ? large_read : small_read;
  if (read_buffer_.size() != size) {
    read_buffer_.resize(size);
    read_buffer_.shrink_to_fit();
  }
  reading_ = true;
  stream_->read(read_buffer_, shared_from_this());
}

void Connection::on_read(std::size_t bytes, ReadEnd end) {
  reading_ = false;
  if (phase_ == Phase::closed)
    return;
  if (phase_ == Phase::lingering) {
    dropped_ += bytes;
    if (end != ReadEnd::none || dropped_ > most_dropped)
      close();
    else
      read();
    return;
  }
  if (end != ReadEnd::none) {
    on_end(end);
    return;
  }
  parser_.feed({read_buffer_.data(), bytes});
  if (phase_ == Phase::idle || phase_ == Phase::head || phase_ == Phase::body)
    advance();
  else if (parser_.buffered() < traffic_->limits().head_bytes)
    read();  // to hear of a client that goes away
}

void Connection::on_end(ReadEnd end) {
  peer_closed_ = true;
  close_after_ = true;
  if (exchange_)
    exchange_->abandon();
  // Who has only closed its sending side still reads.
  const bool answering = phase_ == Phase::working || phase_ == Phase::writing;
  if (end == ReadEnd::broken || phase_ == Phase::idle || phase_ == Phase::opening)
    close();
  else if (!answering)
    respond(problem(400, "the request ends in the middle"), true);
}

void Connection::advance() {
  for (;;) {
    switch (parser_.step()) {
    case RequestParser::Step::need_more:
      if (phase_ == Phase::idle && parser_.has_begun()) {
        phase_ = Phase::head;
        set_deadline(traffic_->limits().head);
      }
      if (peer_closed_)
        close();
      else
        read();
      return;
    case RequestParser::Step::head:
      if (!on_head())
        return;
      break;
    case RequestParser::Step::complete:
      dispatch();
      return;
    case RequestParser::Step::refused:
      respond(problem(parser_.status(), parser_.reason()), true);
      return;
    }
  }
}

// @returns whether the body is to be read.
bool Connection::on_head() {
  const auto& head = parser_.head();
  phase_ = Phase::body;
  close_after_ = close_after_ || !head.keep_alive;
  with_body_ = head.method != "HEAD";
  old_client_ = head.is_http_1_0;
  auto target = parse_target(head.target);
  if (!target && !(head.target == "*" && head.method == "OPTIONS")) {
    respond(problem(400, "the target of the request is broken"), true);
    return false;
  }
  if (!target)
    target.emplace();
  if (refuse_head(head, *target))
    return false;
  path_ = std::move(target->path);
  segments_ = std::move(target->segments);
  query_ = std::move(target->query);
  parser_.limit_body(match_.port->config().max_body.bytes);
  if (head.has_body) {
    set_deadline(traffic_->limits().body);
    expect_body();
  }
  return true;
}

bool Connection::refuse_head(const RequestHead& head, const Target& target) {
  // A body that is not wanted is not read either.
  const auto refuse = [&](Response response) {
    respond(std::move(response), head.has_body);
    return true;
  };
  match_ = traffic_->routes()->find(target.segments, head.method);
  if (!match_.port) {
    if (match_.allowed.empty() && head.method != "OPTIONS")
      return refuse(problem(404, "no route has this path"));
    auto response = head.method == "OPTIONS" ? Response{.status = 204}
                                             : problem(405, "this path takes " + match_.allowed);
    if (!match_.allowed.empty())
      response.headers.emplace_back("allow", match_.allowed);
    return refuse(std::move(response));
  }
  const auto& config = match_.port->config();
  if (!traffic_->guard().is_open()) {
    const auto user = traffic_->guard().check(head.headers, target.query);
    if (!user) {
      auto response = problem(401, "who are you?");
      for (auto& challenge : traffic_->guard().challenges())
        response.headers.emplace_back("www-authenticate", std::move(challenge));
      return refuse(std::move(response));
    }
    user_ = *user;
  }
  const auto* coding = find_header(head.headers, "content-encoding");
  const auto coding_name = coding ? essence_of(*coding) : std::string{};
  zipped_ = coding_name == "gzip" || coding_name == "x-gzip";
  if (coding && !zipped_ && coding_name != "identity") {
    auto response = problem(415, "this route takes gzip and no other Content-Encoding");
    response.headers.emplace_back("accept-encoding", "gzip");
    return refuse(std::move(response));
  }
  if (const auto unfit = check_content_type(head, config.format))
    return refuse(problem(unfit->status, unfit->detail));
  if (head.content_length.value_or(0) > config.max_body.bytes)
    return refuse(problem(413, "the body is longer than this route takes"));
  if (const auto* expected = find_header(head.headers, "expect");
      expected && !has_token(*expected, "100-continue"))
    return refuse(problem(417, "no expectation but 100-continue is known"));
  // Between the two looks another pipeline may have taken the route over.
  if (!match_.port->is_open())
    match_ = traffic_->routes()->find(target.segments, head.method);
  if (!match_.port || !match_.port->is_open()) {
    close_after_ = true;
    return refuse(overloaded("the pipeline of this route does not run"));
  }
  return !match_.port->has_room() && refuse(overloaded("too many requests are under way"));
}

void Connection::expect_body() {
  const auto& head = parser_.head();
  if (find_header(head.headers, "expect") && !head.is_http_1_0 && parser_.buffered() == 0)
    write("HTTP/1.1 100 Continue\r\n\r\n");
}

void Connection::dispatch() {
  RequestHead stripped;
  if (!traffic_->guard().is_open()) {
    stripped = parser_.head();
    traffic_->guard().strip(stripped.headers);
  }
  const auto& head = traffic_->guard().is_open() ? parser_.head() : stripped;
  auto payload = make_payload(head, query_, std::move(match_.params));
  if (!payload) {
    respond(problem(400, "the query is broken"), false);
    return;
  }
  port_ = std::move(match_.port);
  port_->begin();
  phase_ = Phase::working;
  self_ = shared_from_this();
  set_deadline(port_->config().timeout);
  auto request_id = take_request_id(head.headers);
  auto meta = make_meta(head, path_, request_id, stream_->peer(), take_trace(head.headers));
  if (!user_.empty())
    meta.set("user", sdk::Value{std::exchange(user_, {})});
  if (const auto name = stream_->client_name(); !name.empty())
    meta.set("clientCertificate", sdk::Value{name});
  const auto* accepted = find_header(head.headers, "accept-encoding");
  const bool gzips = traffic_->compression() && accepted && takes_gzip(*accepted);
  exchange_ = std::make_shared<Exchange>(++number_, std::move(request_id), std::move(meta),
                                         weak_from_this(), gzips);
  auto hand_over = [port = port_, exchange = exchange_, zipped = zipped_, traffic = traffic_,
                    segments = std::move(segments_),
                    method = head.method](sdk::Value request, const std::string& body) {
    sdk::Value content;
    if (const auto bad = decode_body(port->config(), zipped, body, content)) {
      exchange->answer(problem(bad->status, bad->detail, exchange->request_id()));
      return;
    }
    request.mutable_member("body") = std::move(content);
    const auto bytes = request.heap_bytes() + record_bytes;
    auto taken = port->take(exchange, request, bytes);
    // A pipeline that was replaced while the request came in: its successor has the route.
    if (auto match = taken == Port::Taken::closed ? traffic->routes()->find(segments, method)
                                                  : RouteTable::Match{};
        match.port && match.port != port) {
      request.mutable_member("params") = std::move(match.params);
      taken = match.port->take(exchange, std::move(request), bytes);
    }
    if (taken != Port::Taken::yes)
      exchange->answer(overloaded("too many requests are under way", exchange->request_id()));
  };
  auto body = parser_.take_body();
  if (body.size() > large_body || zipped_)
    traffic_->post([hand_over, request = std::move(*payload), body = std::move(body)] {
      hand_over(request, body);
    });
  else
    hand_over(std::move(*payload), body);
  read();
}

// --- ConnectionSet

void ConnectionSet::add(const std::shared_ptr<Connection>& connection) {
  const std::lock_guard lock{mutex_};
  all_.emplace(connection.get(), connection);
}

void ConnectionSet::remove(const Connection* connection) {
  const std::lock_guard lock{mutex_};
  all_.erase(connection);
}

std::size_t ConnectionSet::size() const {
  const std::lock_guard lock{mutex_};
  return all_.size();
}

void ConnectionSet::drain() {
  std::vector<std::shared_ptr<Connection>> open;
  {
    const std::lock_guard lock{mutex_};
    for (const auto& [key, connection] : all_) {
      if (auto one = connection.lock())
        open.push_back(std::move(one));
    }
  }
  for (const auto& connection : open)
    connection->drain();
}

}  // namespace millrace::http
