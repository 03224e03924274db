// PrometheusText: metrics as Prometheus reads them (text exposition format 0.0.4).
//
//   PrometheusText text;
//   engine.visit(text);
//   answer({.text = text.finish(), .type = std::string{PrometheusText::content_type}});
#pragma once

#include "connectors/sdk/metrics.hpp"

#include <map>
#include <string>
#include <string_view>

namespace millrace::runtime {

/// Samples of one name stand together, whatever the order in which they come.
class PrometheusText final : public sdk::MetricVisitor {
public:
  static constexpr std::string_view content_type = "text/plain; version=0.0.4; charset=utf-8";

  void counter(std::string_view name, std::string_view help, Labels labels,
               std::uint64_t value) override;
  void gauge(std::string_view name, std::string_view help, Labels labels, double value) override;
  void histogram(std::string_view name, std::string_view help, Labels labels,
                 const sdk::HistogramSnapshot& value) override;

  /// A counter of time.
  void seconds_total(std::string_view name, std::string_view help, double value);

  std::string finish() const;

private:
  struct Family {
    std::string head;  // HELP and TYPE
    std::string samples;
  };

  Family& family(std::string_view name, std::string_view help, std::string_view type);

  std::map<std::string, Family, std::less<>> families_;
};

/// What the process itself uses: processor time, memory, descriptors, its version.
void add_process(PrometheusText& text);

}  // namespace millrace::runtime
