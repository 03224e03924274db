// Runs a program as a user would, and looks at what it says and how it ends.
//
//   const auto done = run_process({.arguments = {binary, "version"}});
//   EXPECT_EQ(done.code, 0) << done.err;
//
//   Process process{{.arguments = {binary, "run", file}}};
//   ASSERT_TRUE(process.wait_for("pipeline started"));
//   process.signal(SIGTERM);
//   EXPECT_EQ(process.wait().code, 0);
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace millrace::test {

/// Whether pseudo terminals can be made here: a bare chroot without devpts has none.
bool has_terminals();

struct Launch {
  std::vector<std::string> arguments;  // the first one is the program
  std::string input{};                 // what stdin gives before it ends
  bool keep_input_open = false;        // stdin does not end before `close_input`
  std::vector<std::pair<std::string, std::string>> environment{};  // on top of ours
  std::string directory{};                                         // to start in; empty: ours
  bool terminal = false;                                           // stderr is a terminal
};

struct Finished {
  int code = -1;  // exit code; minus the signal that ended it
  std::string out;
  std::string err;
};

/// One program that runs. The destructor kills it. For one thread.
class Process {
public:
  explicit Process(const Launch& launch);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  /// Reads on until `text` was said on stdout or stderr. @returns false when it ends or 20 s pass
  /// before.
  bool wait_for(std::string_view text);

  void write(std::string_view text);
  void close_input();
  void close_output();  // as a reader of its stdout that goes away
  void signal(int number) const;

  /// Waits for its end, for 60 s at most; what runs on is killed.
  Finished wait();

  const std::string& out() const noexcept { return out_; }

  const std::string& err() const noexcept { return err_; }

  pid_t pid() const noexcept { return pid_; }

private:
  using Deadline = std::chrono::steady_clock::time_point;

  // Reads what there is, or waits for it. @returns false when both streams have ended or time is
  // up.
  bool pump(Deadline deadline);

  pid_t pid_ = -1;
  int in_ = -1;
  int out_fd_ = -1;
  int err_fd_ = -1;
  std::string pending_;  // input not yet taken
  bool keep_input_open_ = false;
  std::string out_;
  std::string err_;
};

Finished run_process(const Launch& launch);

}  // namespace millrace::test
