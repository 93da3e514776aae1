// The host that the corpus was made on, built again in a mount namespace of its own: what the
// documents name as paths and processes is there, so that the facts are gathered and not made up.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace runclad::golden {

// A process that stands in for one of the corpus, with the namespaces that are not the host's.
struct StandIn {
  std::string container;               // of which it is the first process; "" of none
  int namespaces = 0;                  // CLONE_NEW…
  const char* ids = "0 100000 65536";  // of its user namespace, if it has one
};

class Host {
 public:
  // Inside testing::InPrivateMounts, as root.
  Host();
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  // The document with the corpus' process numbers in paths below /proc replaced by the stand-ins'.
  [[nodiscard]] std::string Moved(const std::string& document) const;
  [[nodiscard]] const std::map<pid_t, StandIn>& stand_ins() const { return stand_ins_; }

  // The files that the engine has made for a container when it calls the runtime.
  void MakeFilesOf(const std::string& engine, const std::string& name, const std::string& id,
                   const std::string& document) const;

 private:
  pid_t Start(const StandIn& stand_in);
  void Pin(const nlohmann::json& spec) const;

  std::map<std::string, pid_t> pids_;  // by the corpus' number
  std::map<pid_t, StandIn> stand_ins_;
  std::vector<pid_t> children_;
};

}  // namespace runclad::golden
