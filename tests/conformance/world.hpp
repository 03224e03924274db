// What the conformance suite needs to know of a source or a sink: what to write into a file, how to
// put records in or look at what came out, how to take its server away.
//
// A connector joins by a World of its own (worlds_*.cpp) and one line in `all_sources` or
// `all_sinks`.
#pragma once

#include "tests/support/fault_proxy.hpp"
#include "tests/support/scratch.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

namespace millrace::test {

class World {
public:
  World() = default;
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  virtual ~World() = default;

  /// Lines of `servers:`, indented by two.
  virtual std::string servers() const { return {}; }

  /// The same with credentials that are wrong; empty: it has none.
  virtual std::string wrong_servers() const { return {}; }

  /// `type` and what follows it: "type: redis, operation: receive, stream: s".
  virtual std::string step() const = 0;

  /// Its server is cut off; nothing comes through until it is back.
  virtual bool has_server() const { return false; }

  virtual void go_away() {}

  virtual void come_back() {}

  /// Where files named in `step` are.
  const Scratch& scratch() const { return scratch_; }

private:
  Scratch scratch_;
};

/// Records are {"n": 0}, {"n": 1}, …
class SourceWorld : public World {
public:
  /// Where a record has its number.
  virtual std::string number() const { return "$.in.n"; }

  /// What stdin gives, where that is the source.
  virtual std::string input() const { return {}; }

  /// Makes the records `from` to `to` - 1 come. @param port that the process says it listens at.
  virtual void put(int from, int to, std::uint16_t port) = 0;

  virtual bool is_exact() const { return true; }  // else numbers rise, and some are left out

  virtual bool keeps_order() const { return true; }  // else each record is a lane of its own

  virtual bool needs_port() const { return false; }  // its records come to the process itself

  virtual bool ends() const { return true; }  // with --once, behind the last one

  virtual bool remembers() const { return false; }  // what has settled does not come again

  virtual bool comes_again() const { return false; }  // what had not settled does
};

class SinkWorld : public World {
public:
  /// The numbers that arrived, in order.
  virtual std::vector<int> taken() = 0;

  virtual bool keeps() const { return true; }  // what was taken can be looked at
};

/// A server behind a proxy that can cut it off.
class Gate {
public:
  Gate(const std::string& host, std::uint16_t port) : proxy_{{.host = host, .port = port}} {}

  std::uint16_t port() const noexcept { return proxy_.port(); }

  void shut() {
    proxy_.refuse(true);
    proxy_.strike({.kind = Fault::Kind::cut});
  }

  void open() { proxy_.refuse(false); }

private:
  FaultProxy proxy_;
};

/// Makes a world, or says why there is none here.
template <class W>
struct Subject {
  std::string name;
  std::function<std::unique_ptr<W>()> make;
  std::function<std::string()> why_not = [] { return std::string{}; };
};

/// For messages of GoogleTest.
template <class W>
std::ostream& operator<<(std::ostream& out, const Subject<W>& subject) {
  return out << subject.name;
}

std::vector<Subject<SourceWorld>> all_sources();
std::vector<Subject<SinkWorld>> all_sinks();

// One per file of worlds.
void add_local(std::vector<Subject<SourceWorld>>& sources, std::vector<Subject<SinkWorld>>& sinks);
void add_databases(std::vector<Subject<SourceWorld>>& sources,
                   std::vector<Subject<SinkWorld>>& sinks);
void add_http(std::vector<Subject<SourceWorld>>& sources, std::vector<Subject<SinkWorld>>& sinks);
void add_kafka(std::vector<Subject<SourceWorld>>& sources, std::vector<Subject<SinkWorld>>& sinks);
void add_redis(std::vector<Subject<SourceWorld>>& sources, std::vector<Subject<SinkWorld>>& sinks);

/// Lines of {"n": …}.
std::string numbered_lines(int from, int to);

/// The numbers of such lines, or of any text with "n":7 or "n":"7" in it.
std::vector<int> numbers_in(const std::string& text);

}  // namespace millrace::test
