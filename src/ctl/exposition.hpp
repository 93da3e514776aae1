// Metrics in Prometheus' text format, version 0.0.4, which node-exporter's textfile collector
// reads, too: https://prometheus.io/docs/instrumenting/exposition_formats/
#pragma once

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace runclad::ctl {

class Exposition {
 public:
  using Label = std::pair<std::string_view, std::string_view>;

  // Samples follow the family that they belong to. `type`: "counter" or "gauge".
  void Family(std::string_view name, std::string_view type, std::string_view help);
  template <std::integral Number>
  void Sample(std::initializer_list<Label> labels, Number value) {
    AddSample(labels, std::to_string(value));
  }

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  void AddSample(std::initializer_list<Label> labels, const std::string& value);

  std::string name_;
  std::string text_;
};

}  // namespace runclad::ctl
