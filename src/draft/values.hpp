// Values in the forms that engines accept.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/draft/request.hpp"

namespace runclad::draft {

Result<std::int64_t> ReadNumber(std::string_view text);
Result<bool> ReadBoolean(std::string_view text);  // as Go does: "1", "t", "True", …
// "64m", "1.5g", "100"; -1: no limit
Result<std::int64_t> ReadBytes(std::string_view text);
// "1.5" CPUs as microseconds of each 100,000.
Result<std::int64_t> ReadCpuQuota(std::string_view text);
inline constexpr std::int64_t kCpuPeriod = 100'000;
Result<Rlimit> ReadRlimit(std::string_view text);  // "nofile=1024:2048"
// "/dev/fuse", "/dev/sda:/dev/xvda:r"
Result<Device> ReadDevice(std::string_view text);

std::vector<std::string> Split(std::string_view text, char separator);
// Fields of one line as encoding/csv reads them: "a,\"b,c\"".
Result<std::vector<std::string>> SplitCsv(std::string_view line);
// Like Go's path.Clean; a relative path starts at the working directory.
std::string AbsolutePath(const std::string& path);

// "/srv/x:/x:ro,rslave", "name:/x", "/x"
Result<Mount> ReadVolume(const std::string& text, Request& request);
// "type=bind,source=/srv,target=/x,readonly"
Result<Mount> ReadMount(const std::string& text, Request& request);
Result<Mount> ReadTmpfs(const std::string& text);  // "/run:rw,size=64k"

// A value of --security-opt: what it changes of `request`; a profile that it names is read.
Status ReadSecurityOption(const std::string& text, Request& request);

}  // namespace runclad::draft
