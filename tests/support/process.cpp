#include "tests/support/process.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <poll.h>
#include <stdexcept>
#include <sys/wait.h>
#include <unistd.h>

namespace millrace::test {

namespace {

using std::chrono::steady_clock;

void close_fd(int& fd) {
  if (fd >= 0)
    ::close(fd);
  fd = -1;
}

/// A new pseudo terminal: {ours, the program's}.
std::array<int, 2> open_terminal() {
  const int ours = ::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  std::array<char, 128> name{};
  int theirs = -1;
  if (ours >= 0 && ::grantpt(ours) == 0 && ::unlockpt(ours) == 0
      && ::ptsname_r(ours, name.data(), name.size()) == 0)
    theirs = ::open(name.data(), O_RDWR | O_NOCTTY | O_CLOEXEC);
  return {ours, theirs};
}

std::array<int, 2> open_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    throw std::runtime_error{"no pipe"};
  return ends;
}

}  // namespace

bool has_terminals() {
  auto ends = open_terminal();
  const bool found = ends[1] >= 0;
  for (int& end : ends)
    close_fd(end);
  return found;
}

Process::Process(const Launch& launch)
  : pending_{launch.input}, keep_input_open_{launch.keep_input_open} {
  static_cast<void>(std::signal(SIGPIPE, SIG_IGN));
  const auto in = open_pipe();
  const auto out = open_pipe();
  auto err = launch.terminal ? open_terminal() : open_pipe();
  if (err[1] < 0)
    throw std::runtime_error{"no pseudo terminal"};

  std::vector<char*> arguments;
  for (const auto& argument : launch.arguments)
    arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);

  pid_ = ::fork();
  if (pid_ < 0)
    throw std::runtime_error{"cannot fork"};
  if (pid_ == 0) {
    ::dup2(in[0], STDIN_FILENO);
    ::dup2(out[1], STDOUT_FILENO);
    ::dup2(err[1], STDERR_FILENO);
    static_cast<void>(std::signal(SIGPIPE, SIG_DFL));
    for (const auto& [name, value] : launch.environment)
      ::setenv(name.c_str(), value.c_str(), 1);  // NOLINT(concurrency-mt-unsafe): one thread here
    if (launch.directory.empty() || ::chdir(launch.directory.c_str()) == 0)
      ::execv(arguments[0], arguments.data());
    ::_exit(127);
  }
  ::close(in[0]);
  ::close(out[1]);
  ::close(err[1]);
  in_ = in[1];
  out_fd_ = out[0];
  err_fd_ = err[0];
  ::fcntl(in_, F_SETFL, O_NONBLOCK);
  if (pending_.empty() && !keep_input_open_)
    close_fd(in_);
}

Process::~Process() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  close_fd(in_);
  close_fd(out_fd_);
  close_fd(err_fd_);
}

bool Process::pump(Deadline deadline) {
  if (out_fd_ < 0 && err_fd_ < 0)
    return false;
  const auto left =
    std::chrono::duration_cast<std::chrono::milliseconds>(deadline - steady_clock::now()).count();
  if (left <= 0)
    return false;
  // poll ignores negative descriptors.
  std::array<pollfd, 3> waiting{
    {{out_fd_, POLLIN, 0}, {err_fd_, POLLIN, 0}, {pending_.empty() ? -1 : in_, POLLOUT, 0}}};
  ::poll(waiting.data(), waiting.size(), static_cast<int>(left));
  const auto read = [](const pollfd& ready, int& fd, std::string& into) {
    if (ready.revents == 0)
      return;
    std::array<char, 65536> buffer{};
    const auto got = ::read(fd, buffer.data(), buffer.size());
    if (got > 0)
      into.append(buffer.data(), static_cast<std::size_t>(got));
    else if (got == 0 || errno != EINTR)  // a terminal ends with EIO
      close_fd(fd);
  };
  read(waiting[0], out_fd_, out_);
  read(waiting[1], err_fd_, err_);
  if (waiting[2].revents != 0) {
    const auto written = ::write(in_, pending_.data(), pending_.size());
    if (written > 0)
      pending_.erase(0, static_cast<std::size_t>(written));
    else if (written < 0 && errno != EAGAIN && errno != EINTR)
      pending_.clear();
    if (pending_.empty() && !keep_input_open_)
      close_fd(in_);
  }
  return true;
}

bool Process::wait_for(std::string_view text) {
  const auto deadline = steady_clock::now() + std::chrono::seconds{20};
  const auto said = [&] {
    return out_.find(text) != std::string::npos || err_.find(text) != std::string::npos;
  };
  while (!said()) {
    if (!pump(deadline))
      return said();
  }
  return true;
}

void Process::write(std::string_view text) {
  pending_ += text;
  const auto deadline = steady_clock::now() + std::chrono::seconds{20};
  while (!pending_.empty() && pump(deadline)) {
  }
}

void Process::close_input() {
  keep_input_open_ = false;
  if (pending_.empty())
    close_fd(in_);
}

void Process::close_output() {
  close_fd(out_fd_);
}

void Process::signal(int number) const {
  ::kill(pid_, number);
}

Finished Process::wait() {
  const auto deadline = steady_clock::now() + std::chrono::seconds{60};
  while (pump(deadline)) {
  }
  if (out_fd_ >= 0 || err_fd_ >= 0)
    ::kill(pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  return {code, out_, err_};
}

Finished run_process(const Launch& launch) {
  Process process{launch};
  return process.wait();
}

}  // namespace millrace::test
