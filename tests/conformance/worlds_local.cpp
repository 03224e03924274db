// Files, streams, the clock, records made up.
#include "tests/conformance/world.hpp"

namespace millrace::test {
namespace {

class FileSource final : public SourceWorld {
public:
  std::string step() const override { return "type: file, operation: read, path: in.jsonl"; }

  void put(int from, int to, std::uint16_t) override {
    scratch().append("in.jsonl", numbered_lines(from, to));
  }

  bool comes_again() const override { return true; }
};

class StdinSource final : public SourceWorld {
public:
  std::string step() const override { return "type: stdin"; }

  std::string input() const override { return lines_; }

  void put(int from, int to, std::uint16_t) override { lines_ += numbered_lines(from, to); }

private:
  std::string lines_;
};

class GenerateSource final : public SourceWorld {
public:
  std::string step() const override { return "type: generate, count: " + std::to_string(count_); }

  std::string number() const override { return "$.in.n"; }

  void put(int, int to, std::uint16_t) override { count_ = to; }

  bool comes_again() const override { return true; }

private:
  int count_ = 1;
};

class TimerSource final : public SourceWorld {
public:
  std::string step() const override { return "type: timer, every: 1ms"; }

  std::string number() const override { return "$.in.tick"; }

  void put(int, int, std::uint16_t) override {}  // the clock does

  bool is_exact() const override { return false; }

  bool ends() const override { return false; }
};

class FileSink final : public SinkWorld {
public:
  std::string step() const override {
    return "type: file, operation: write, path: out.jsonl, mode: append";
  }

  std::vector<int> taken() override {
    return scratch().exists("out.jsonl") ? numbers_in(scratch().read("out.jsonl"))
                                         : std::vector<int>{};
  }
};

class DropSink final : public SinkWorld {
public:
  std::string step() const override { return "type: drop"; }

  bool keeps() const override { return false; }

  std::vector<int> taken() override { return {}; }
};

}  // namespace

void add_local(std::vector<Subject<SourceWorld>>& sources, std::vector<Subject<SinkWorld>>& sinks) {
  sources.push_back({"File", [] { return std::make_unique<FileSource>(); }});
  sources.push_back({"Stdin", [] { return std::make_unique<StdinSource>(); }});
  sources.push_back({"Generate", [] { return std::make_unique<GenerateSource>(); }});
  sources.push_back({"Timer", [] { return std::make_unique<TimerSource>(); }});
  sinks.push_back({"File", [] { return std::make_unique<FileSink>(); }});
  sinks.push_back({"Drop", [] { return std::make_unique<DropSink>(); }});
}

}  // namespace millrace::test
