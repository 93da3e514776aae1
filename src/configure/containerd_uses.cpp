#include "containerd_uses.hpp"

#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <utility>

#include "runclad/json/scanner.hpp"
#include "runclad/sys/command.hpp"

namespace runclad::configure {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSandboxMetadata = "io.cri-containerd.sandbox.metadata";
constexpr const char* kMemberMetadata = "io.cri-containerd.container.metadata";

std::string Base64Decoded(std::string_view text) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  constexpr unsigned kBitsOfDigit = 6;
  constexpr unsigned kBitsOfByte = 8;
  constexpr unsigned kByte = 0xFF;
  std::string bytes;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    const std::size_t digit = kDigits.find(c);
    if (digit == std::string_view::npos) break;  // "=" at the end
    bits = bits << kBitsOfDigit | static_cast<std::uint32_t>(digit);
    count += kBitsOfDigit;
    if (count < kBitsOfByte) continue;
    count -= kBitsOfByte;
    bytes += static_cast<char>(bits >> count & kByte);
  }
  return bytes;
}

class Client {
 public:
  explicit Client(const Containerd& containerd) {
    program_ = fs::path(containerd.program).parent_path() / "ctr";
    if (::access(program_.c_str(), X_OK) != 0) program_ = sys::FindInPath("ctr");
    address_ = containerd.daemon->Value({"--address", "-a"})
                   .value_or(TextAt(containerd.effective, {"grpc", "address"})
                                 .value_or("/run/containerd/containerd.sock"));
  }

  Result<std::string> Ask(std::vector<std::string> arguments) const {
    if (program_.empty()) {
      return Error{"ctr, by which its containers are looked up, is neither beside it nor in PATH"};
    }
    arguments.insert(arguments.begin(), {program_, "--address", address_});
    const auto output = sys::RunCommand(arguments);
    if (!output) return output.error();
    if (output->status != 0) return Error{"ctr at " + address_ + " failed: " + output->err};
    return output->out;
  }

 private:
  std::string program_;
  std::string address_;
};

// What `ctr containers info` says of one.
struct Container {
  std::string runtime;
  std::string options;     // of its runtime, as bytes
  std::string sandbox;     // a pod's metadata, as JSON; empty: it is not a pod
  bool is_of_pod = false;  // which is made again as a whole
};

// The bytes of {"type_url": …, "value": "<base64>"}.
std::string AnyBytes(json::Scanner& scanner) {
  std::string bytes;
  if (scanner.Null()) return bytes;
  scanner.Object({"value"}, [&](std::size_t) { bytes = Base64Decoded(scanner.String()); });
  return bytes;
}

Result<Container> Read(const std::string& text) {
  Container container;
  json::Scanner scanner(text);
  scanner.Object({"Runtime", "Extensions"}, [&](std::size_t index) {
    if (index == 0) {
      scanner.Object({"Name", "Options"}, [&](std::size_t part) {
        if (part == 0) {
          container.runtime = scanner.String();
        } else {
          container.options = AnyBytes(scanner);
        }
      });
    } else if (!scanner.Null()) {
      scanner.Members([&](std::string_view name) {
        if (name == kSandboxMetadata) {
          container.sandbox = AnyBytes(scanner);
        } else {
          container.is_of_pod |= name == kMemberMetadata;
          scanner.Skip();
        }
      });
    }
  });
  if (auto status = scanner.Finish(); !status) return status.error().In("ctr containers info");
  return container;
}

// The name of a pod and the runtime that it asks for.
std::pair<std::string, std::string> PodOf(const std::string& sandbox) {
  std::pair<std::string, std::string> pod;
  json::Scanner scanner(sandbox);
  scanner.Object({"Metadata"}, [&](std::size_t) {
    scanner.Object({"Name", "RuntimeHandler"}, [&](std::size_t index) {
      (index == 0 ? pod.first : pod.second) = scanner.String();
    });
  });
  if (!scanner.Finish()) return {};
  return pod;
}

}  // namespace

Result<ContainerdUses> FindContainerdUses(const Containerd& containerd, const Request& request) {
  ContainerdUses uses;
  if (!containerd.daemon) return uses;
  const Client client(containerd);
  const auto namespaces = client.Ask({"namespaces", "ls", "-q"});
  if (!namespaces) return namespaces.error();
  for (const std::string& space : LinesOf(*namespaces)) {
    if (space == "moby") continue;
    const auto ids = client.Ask({"--namespace", space, "containers", "ls", "-q"});
    if (!ids) return ids.error();
    for (const std::string& id : LinesOf(*ids)) {
      const auto text = client.Ask({"--namespace", space, "containers", "info", id});
      if (!text) continue;  // removed since
      const auto container = Read(*text);
      if (!container) return container.error();
      const auto [pod, handler] = PodOf(container->sandbox);
      const std::string name = space + "/" + (pod.empty() ? id : pod);
      if (handler == request.name) {
        uses.of_name.push_back({name, handler, kPodRemedy});
      } else if (container->options.find(request.program) != std::string::npos) {
        uses.of_program.push_back(
            {name, request.program, pod.empty() ? "make it again" : kPodRemedy});
      } else if (!container->sandbox.empty()) {
        uses.others.push_back({name, handler.empty() ? "(default)" : handler, kPodRemedy});
      } else if (!container->is_of_pod) {
        uses.others.push_back(
            {name, container->runtime,
             "ctr containers rm, and ctr run --runc-binary " + request.program + " again"});
      }
    }
  }
  return uses;
}

}  // namespace runclad::configure
