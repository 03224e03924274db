#include "runtime/admin/prometheus.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <ctime>
#include <dirent.h>
#include <fstream>
#include <sys/resource.h>
#include <unistd.h>

namespace millrace::runtime {

namespace {

std::string number(double value) {
  if (std::isnan(value))
    return "NaN";
  if (std::isinf(value))
    return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), end.ptr};
}

void append_escaped(std::string& out, std::string_view text, bool quoted) {
  for (const char c : text) {
    if (c == '\\')
      out += "\\\\";
    else if (c == '\n')
      out += "\\n";
    else if (c == '"' && quoted)
      out += "\\\"";
    else
      out += c;
  }
}

/// @param bound of a bucket; empty: none.
std::string labels_text(sdk::MetricVisitor::Labels labels, std::string_view bound = {}) {
  std::string text;
  const auto add = [&](std::string_view name, std::string_view value) {
    text += text.empty() ? "{" : ",";
    text.append(name).append("=\"");
    append_escaped(text, value, true);
    text += '"';
  };
  for (const auto& label : labels)
    add(label.name, label.value);
  if (!bound.empty())
    add("le", bound);
  return text.empty() ? text : text + "}";
}

void append_sample(std::string& out, std::string_view name, std::string_view suffix,
                   const std::string& labels, const std::string& value) {
  out.append(name).append(suffix).append(labels).append(" ").append(value).append("\n");
}

}  // namespace

PrometheusText::Family& PrometheusText::family(std::string_view name, std::string_view help,
                                               std::string_view type) {
  const auto found = families_.find(name);
  if (found != families_.end())
    return found->second;
  auto& made = families_[std::string{name}];
  made.head.append("# HELP ").append(name).append(" ");
  append_escaped(made.head, help, false);
  made.head.append("\n# TYPE ").append(name).append(" ").append(type).append("\n");
  return made;
}

void PrometheusText::counter(std::string_view name, std::string_view help, Labels labels,
                             std::uint64_t value) {
  append_sample(family(name, help, "counter").samples, name, "", labels_text(labels),
                std::to_string(value));
}

void PrometheusText::gauge(std::string_view name, std::string_view help, Labels labels,
                           double value) {
  append_sample(family(name, help, "gauge").samples, name, "", labels_text(labels), number(value));
}

void PrometheusText::histogram(std::string_view name, std::string_view help, Labels labels,
                               const sdk::HistogramSnapshot& value) {
  auto& out = family(name, help, "histogram").samples;
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < value.counts.size(); ++i) {
    sum += value.counts[i];
    const auto bound = i < value.bounds.size() ? number(value.bounds[i]) : std::string{"+Inf"};
    append_sample(out, name, "_bucket", labels_text(labels, bound), std::to_string(sum));
  }
  append_sample(out, name, "_sum", labels_text(labels), number(value.sum));
  append_sample(out, name, "_count", labels_text(labels), std::to_string(value.count));
}

void PrometheusText::seconds_total(std::string_view name, std::string_view help, double value) {
  append_sample(family(name, help, "counter").samples, name, "", {}, number(value));
}

std::string PrometheusText::finish() const {
  std::string text;
  for (const auto& [name, one] : families_)
    text.append(one.head).append(one.samples);
  return text;
}

void add_process(PrometheusText& text) {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  text.seconds_total("process_cpu_seconds_total", "Processor time used",
                     seconds(usage.ru_utime) + seconds(usage.ru_stime));
  std::uint64_t pages = 0;
  std::uint64_t resident = 0;
  std::ifstream{"/proc/self/statm"} >> pages >> resident;
  text.gauge("process_resident_memory_bytes", "Memory in use", {},
             static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE)));
  if (auto* folder = ::opendir("/proc/self/fd")) {
    double open = -3;                     // . and .., and the one that lists them
    while (::readdir(folder) != nullptr)  // NOLINT(concurrency-mt-unsafe): its own stream
      ++open;
    ::closedir(folder);
    text.gauge("process_open_fds", "Open descriptors", {}, open);
  }
  const std::array labels{sdk::MetricLabel{"version", MILLRACE_VERSION}};
  text.gauge("millrace_build_info", "1; the version is its label", labels, 1);
}

}  // namespace millrace::runtime
