#include "runclad/oci/secret_options.hpp"

#include <algorithm>
#include <cctype>
#include <string>

namespace runclad::oci {
namespace {

// The options of Linux's file systems whose values say how, not who: sizes, ids, modes, times,
// versions, directories. `user` is none of them: cifs takes "user=name%password". One text, as a
// table of names would have to be relocated on each call.
constexpr std::string_view kPlain =
    " access acdirmax acdirmin acregmax acregmin actimeo addr aname atime barrier blksize "
    "bsize cache clientaddr codepage commit compress context data defcontext dfltgid "
    "dfltuid dir_mode dmask errors fd file_mode fmask fs fscontext gid group_id hidepid "
    "huge idmap index io iocharset ip journal local_lock logbsize logbufs lookupcache "
    "lowerdir max max_connect max_read mds_namespace metacopy minorversion mode mountaddr "
    "mounthost mountport mountproto mountvers mpol msize namlen nconnect nfs_export "
    "nfsvers nr_blocks nr_inodes port proto ptmxmode redirect_dir release_agent retrans "
    "retry rootcontext rootmode rsize sec size subset subvol subvolid timeo trans uid "
    "umask upperdir user_id version vers workdir wsize xino ";

// cifs has compared names without regard to case.
bool IsPlain(std::string_view name) {
  if (name == "mode" || name == "size" || name == "gid" || name == "uid") return true;  // mostly
  if (name.empty() || name.find(' ') != std::string_view::npos) return false;
  std::string word = " ";
  word.append(name).append(" ");
  std::ranges::transform(word, word.begin(), [](unsigned char c) { return std::tolower(c); });
  return kPlain.find(word) != std::string_view::npos;
}

}  // namespace

std::optional<std::size_t> FindSecret(std::string_view option) {
  for (std::size_t begin = 0; begin < option.size();) {
    const std::size_t end = std::min(option.find(',', begin), option.size());
    const std::size_t equals = option.find('=', begin);
    if (equals < end && !IsPlain(option.substr(begin, equals - begin))) return equals + 1;
    begin = end + 1;
  }
  return std::nullopt;
}

std::optional<Credentials> FindCredentials(std::string_view source) {
  const std::size_t scheme = source.find("//");
  const std::size_t begin = scheme == std::string_view::npos ? 0 : scheme + 2;
  const std::size_t end = source.find('@', begin);
  if (end == std::string_view::npos) return std::nullopt;
  const std::size_t colon = source.find(':', begin);
  if (colon >= end || source.substr(begin, end - begin).find('/') != std::string_view::npos) {
    return std::nullopt;
  }
  return Credentials{colon + 1, end - colon - 1};
}

}  // namespace runclad::oci
