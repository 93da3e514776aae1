#include "probe_image.hpp"

#include <array>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <tuple>

#include <nlohmann/json.hpp>

#include "runclad/base/sha256.hpp"
#include "runclad/json/value.hpp"

namespace runclad::doctor {
namespace {

using json::Document;

constexpr std::size_t kBlock = 512;

void Put(std::string& header, std::size_t offset, std::string_view text) {
  header.replace(offset, text.size(), text);
}

std::string Octal(std::uint64_t number, std::size_t digits) {
  std::array<char, 24> text{};
  std::ignore = std::snprintf(text.data(), text.size(), "%0*llo", static_cast<int>(digits),
                              static_cast<unsigned long long>(number));
  return text.data();
}

std::string EndOfArchive() { return std::string(2 * kBlock, '\0'); }

constexpr std::string_view Architecture() {
#if defined(__aarch64__)
  return "arm64";
#else
  return "amd64";
#endif
}

}  // namespace

// POSIX.1-1988, the fields in their order.
std::string TarMember(const std::string& name, std::string_view bytes, unsigned mode) {
  std::string header(kBlock, '\0');
  Put(header, 0, name);
  Put(header, 100, Octal(mode, 7));
  Put(header, 108, Octal(0, 7));  // owner
  Put(header, 116, Octal(0, 7));  // group
  Put(header, 124, Octal(bytes.size(), 11));
  Put(header, 136, Octal(0, 11));  // time
  Put(header, 148, "        ");    // the checksum counts itself as blanks
  header[156] = '0';
  Put(header, 257, "ustar");
  Put(header, 263, "00");
  unsigned sum = 0;
  for (const char byte : header) sum += static_cast<unsigned char>(byte);
  Put(header, 148, Octal(sum, 6));
  header[154] = '\0';
  std::string member = header.append(bytes);
  member.resize((member.size() + kBlock - 1) / kBlock * kBlock, '\0');
  return member;
}

std::string ProbeArchive(std::string_view program) {
  const std::string layer = TarMember("probe", program, 0755) + EndOfArchive();
  Document config;
  config["architecture"] = Architecture();
  config["os"] = "linux";
  config["config"] = {{"Entrypoint", {"/probe"}}, {"Env", {"PATH=/"}}};
  config["rootfs"] = {{"type", "layers"}, {"diff_ids", Document::array({Sha256(layer)})}};
  config["history"] = Document::array({{{"created_by", "runcladctl doctor"}}});
  Document image;
  image["Config"] = "config.json";
  image["RepoTags"] = Document::array({kProbeImage});
  image["Layers"] = Document::array({"layer.tar"});
  return TarMember("layer.tar", layer, 0644) + TarMember("config.json", config.dump(), 0644) +
         TarMember("manifest.json", Document::array({image}).dump(), 0644) + EndOfArchive();
}

Status WriteProbeArchive(const std::string& path) {
  std::ifstream own("/proc/self/exe", std::ios::binary);
  const std::string program(std::istreambuf_iterator<char>(own), {});
  if (program.empty()) return Error{"/proc/self/exe cannot be read"};
  std::ofstream file(path, std::ios::binary);
  file << ProbeArchive(program);
  file.close();
  if (!file) return Error{path + " cannot be written"};
  return {};
}

}  // namespace runclad::doctor
