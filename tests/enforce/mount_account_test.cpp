// Long: the cases of one table of kinds. The mount tables of real containers
// (tables/<engine>-<what>-<runtime>.json: the table, the host's, the promise, and what stood at
// each point), and the same with something in them that nobody promised.
#include "enforce/mount_account.hpp"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "runclad/base/sanitizers.hpp"

#include "enforce/promise_json.hpp"
#include "test_paths.hpp"

namespace runclad::enforce::mount_account_test {
namespace {

const std::filesystem::path kTables = RUNCLAD_TEST_DATA "/enforce/tables";

sys::Examined ExaminedFrom(const json::Document& entry) {
  sys::Examined examined;
  examined.inode = {.device = entry.at("device").get<dev_t>(),
                    .number = entry.at("inode").get<ino_t>()};
  examined.mode = entry.at("mode").get<mode_t>();
  examined.device_number = entry.at("number").get<dev_t>();
  examined.mount_id = entry.at("mount").get<std::uint64_t>();
  examined.is_mount_root = entry.value("isRoot", true);
  return examined;
}

// A container as it was, to be changed.
struct Container {
  Promise promise;
  std::vector<std::string> lines;
  std::vector<std::string> host;
  std::map<std::uint64_t, sys::Examined> topmost;
  std::map<std::string, sys::Examined> at;
  std::vector<std::string> cgroups;
  std::string submount_fault;
  std::string root_path;
  std::optional<sys::Place> empty_directory;

  // The line of a mount point, the last one of several.
  std::string& Line(const std::string& point) {
    const auto found = std::find_if(lines.rbegin(), lines.rend(), [&](const std::string& line) {
      // The fifth column: the root of a file system may have the same name.
      std::size_t column = 0;
      for (int i = 0; i < 4; ++i) column = line.find(' ', column) + 1;
      return line.compare(column, point.size() + 1, point + " ") == 0;
    });
    EXPECT_NE(found, lines.rend()) << point;
    return *found;
  }
  std::uint64_t Id(const std::string& point) { return std::stoull(Line(point)); }
  PromisedMount& Mount(const std::string& point) {
    const auto found = std::ranges::find(promise.mounts, point, &PromisedMount::point);
    EXPECT_NE(found, promise.mounts.end()) << point;
    return *found;
  }
  // A mount more: MAJOR:MINOR ROOT POINT OPTIONS - TYPE …, on the mount at `under`.
  void Add(const std::string& under, const std::string& rest) {
    lines.push_back("9000 " + std::to_string(Id(under)) + " " + rest);
  }
};

void Replace(std::string& text, std::string_view before, std::string_view after) {
  const std::size_t at = text.find(before);
  ASSERT_NE(at, std::string::npos) << before << " in " << text;
  text.replace(at, before.size(), after);
}

Container Load(const std::filesystem::path& path) {
  std::ifstream file(path);
  const auto document = json::Document::parse(file);
  Container container;
  container.promise = *PromiseFrom(document.at("promise"));
  container.lines = document.at("mountinfo").get<std::vector<std::string>>();
  container.host = document.at("host").get<std::vector<std::string>>();
  for (const auto& [id, entry] : document.at("topmost").items()) {
    container.topmost[std::stoull(id)] = ExaminedFrom(entry);
  }
  for (const auto& [name, entry] : document.at("at").items()) {
    container.at[name] = ExaminedFrom(entry);
  }
  container.cgroups = document.at("cgroups").get<std::vector<std::string>>();
  return container;
}

std::string Text(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

// Empty: every mount is accounted for.
std::string WhyNot(const Container& container) {
  const auto table = sys::MountTable::Parse(Text(container.lines));
  const auto host = sys::MountTable::Parse(Text(container.host));
  if (!table || !host) return "a table cannot be parsed";
  const auto find = [](const auto& map, const auto& key) -> std::optional<sys::Examined> {
    const auto found = map.find(key);
    if (found == map.end()) return std::nullopt;
    return found->second;
  };
  const Status account = AccountForMounts(
      container.promise,
      {.container = *table,
       .host = *host,
       .topmost = [&](const sys::Mount& mount) { return find(container.topmost, mount.id); },
       .at = [&](const std::string& path) { return find(container.at, path); },
       .submount_fault =
           [&](const sys::Mount& mount, const std::string&) {
             return mount.root == "/etc" ? "is the host's /etc" : container.submount_fault;
           },
       .root_path = [&] { return container.root_path; },
       .cgroups = container.cgroups,
       .notify_directory = {},
       .empty_directory = container.empty_directory});
  return account ? "" : account.error().message;
}

TEST(MountAccount, AcceptsContainersOfEveryEngine) {
  int tables = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kTables)) {
    EXPECT_EQ(WhyNot(Load(entry.path())), "") << entry.path();
    ++tables;
  }
  EXPECT_GE(tables, 15);
}

// As crun 1.28 masks directories.
Container WithEmptyDirectory() {
  Container container = Load(kTables / "hand-plain-crun.json");
  for (const char* path : {"/proc/acpi", "/sys/firmware", "/sys/dev/block"}) {
    std::string& line = container.Line(path);
    const std::size_t device = line.find(" 0:") + 1;
    const std::size_t options = line.find(path) + std::string_view(path).size();
    line = line.substr(0, device) + "254:0 /run/crun/.empty-directory " + path +
           line.substr(options, line.find(" - ") - options) + " - ext4 /dev/vda rw";
  }
  container.empty_directory =
      sys::Place{.file_system = std::uint64_t{254} << 32, .path = "/run/crun/.empty-directory"};
  return container;
}

TEST(MountAccount, AcceptsCrunsEmptyDirectoryAsAMask) {
  EXPECT_EQ(WhyNot(WithEmptyDirectory()), "");
  const auto why_not_with = [](const std::function<void(Container&)>& change) {
    Container container = WithEmptyDirectory();
    change(container);
    return WhyNot(container);
  };
  const std::string nobody = "no request explains the mount at /proc/acpi";
  EXPECT_NE(why_not_with([](Container& c) { c.empty_directory.reset(); }).find(nobody),
            std::string::npos);
  EXPECT_NE(why_not_with([](Container& c) {
              Replace(c.Line("/proc/acpi"), ".empty-directory", "other");
            }).find(nobody),
            std::string::npos);
  EXPECT_NE(why_not_with([](Container& c) {
              Replace(c.Line("/proc/acpi"), "254:0", "254:1");
            }).find(nobody),
            std::string::npos);
  EXPECT_NE(why_not_with([](Container& c) {
              Replace(c.Line("/proc/acpi"), " ro,", " rw,");
            }).find("/proc/acpi lacks the recorded options ro"),
            std::string::npos);
  EXPECT_NE(why_not_with([](Container& c) {
              c.Add("/", "254:0 /run/crun/.empty-directory /opt ro - ext4 /dev/vda rw");
            }).find("no request explains the mount at /opt"),
            std::string::npos);
  // A read-only path's copy that is writable: other containers have the directory, too.
  EXPECT_NE(why_not_with([](Container& c) {
              c.promise.readonly_paths.emplace_back("/proc/acpi");
              std::string line = c.Line("/proc/acpi").substr(c.Line("/proc/acpi").find("254:0"));
              Replace(line, " ro,", " rw,");
              c.Add("/proc/acpi", line);
            }).find("/proc/acpi lacks the recorded options ro"),
            std::string::npos);
}

struct Foreign {
  const char* name;
  const char* table;
  std::function<void(Container&)> change;
  const char* why;  // a part of the sentence
};

const std::vector<Foreign>& ForeignMounts() {
  static const std::vector<Foreign> all = {
      {"the host's /etc", "docker-plain-runc",
       [](Container& c) { c.Add("/", "254:0 /etc /srv ro,relatime - ext4 /dev/vda rw"); },
       "no request explains the mount at /srv"},
      {"a tmpfs", "docker-plain-runc",
       [](Container& c) { c.Add("/", "0:999 / /opt rw,relatime - tmpfs tmpfs rw"); },
       "no request explains the mount at /opt"},
      {"another proc", "docker-plain-runc",
       [](Container& c) { c.Add("/", "0:21 / /opt rw,relatime - proc proc rw"); },
       "no request explains the mount at /opt"},
      {"a part of the container's proc in a second place", "docker-plain-runc",
       [](Container& c) { c.Add("/", "0:999 /sys /opt rw,relatime - proc proc rw"); },
       "no request explains the mount at /opt"},
      {"a bind over a promised tmpfs", "docker-plain-runc",
       [](Container& c) { c.Add("/tmp", "254:0 /etc /tmp rw,relatime - ext4 /dev/vda rw"); },
       "no request explains the mount at /tmp"},
      {"a tmpfs of the host in place of its own", "docker-plain-runc",
       [](Container& c) {
         const std::string device = c.Line("/tmp").substr(c.Line("/tmp").find("0:"), 4);
         c.host.push_back("8999 1 " + device + " / /run/x rw - tmpfs tmpfs rw");
       },
       "is a host filesystem"},
      {"the host's proc in place of its own", "docker-plain-runc",
       [](Container& c) {
         std::string device = c.Line("/proc").substr(c.Line("/proc").find("0:"));
         device.resize(device.find(' '));
         c.host.push_back("8999 1 " + device + " / /proc/x rw - proc proc rw");
       },
       "is a host filesystem"},
      {"another type than was asked for", "docker-plain-runc",
       [](Container& c) { Replace(c.Line("/tmp"), "- tmpfs", "- ramfs"); },
       "is ramfs, but the record has tmpfs"},
      {"a mount that is missing", "docker-plain-runc",
       [](Container& c) {
         std::erase_if(c.lines, [](const std::string& line) {
           return line.find(" /var/tmp ") != std::string::npos;
         });
       },
       "nothing is mounted at /var/tmp"},
      {"an engine's file that was exchanged", "docker-plain-runc",
       [](Container& c) { ++c.topmost.at(c.Id("/etc/hosts")).inode.number; },
       "/etc/hosts is not what was checked"},
      {"an engine's file of another file system", "docker-plain-runc",
       [](Container& c) { ++c.topmost.at(c.Id("/etc/hosts")).inode.device; },
       "/etc/hosts is not what was checked"},
      {"an engine's file that nobody can see", "docker-plain-runc",
       [](Container& c) { c.topmost.erase(c.Id("/etc/hosts")); }, "is covered by another mount"},
      {"noexec that was lost", "docker-plain-runc",
       [](Container& c) { Replace(c.Line("/tmp"), ",noexec", ""); },
       "the mount at /tmp lacks the recorded options noexec"},
      {"a root that is writable", "docker-plain-runc",
       [](Container& c) { Replace(c.Line("/"), " ro,", " rw,"); },
       "its root filesystem is writable"},
      {"another root", "docker-plain-runc",
       [](Container& c) { ++c.topmost.at(c.Id("/")).inode.number; },
       "its root filesystem is not the one"},
      {"a second root", "docker-plain-runc",
       [](Container& c) {
         c.lines.emplace_back("9000 8998 254:0 / / rw,relatime - ext4 /dev/vda rw");
       },
       "two roots"},
      {"mounts that lie on each other", "docker-plain-runc",
       [](Container& c) {
         c.lines.emplace_back("9000 9001 254:0 / /a rw - ext4 /dev/vda rw");
         c.lines.emplace_back("9001 9000 254:0 / /a rw - ext4 /dev/vda rw");
       },
       "not a tree"},
      {"a mask that is another device", "docker-plain-runc",
       [](Container& c) { c.topmost.at(c.Id("/proc/keys")).device_number = makedev(1, 1); },
       "no request explains the mount at /proc/keys"},
      {"a mask that is a file", "docker-plain-runc",
       [](Container& c) { c.topmost.at(c.Id("/proc/keys")).mode = S_IFREG | 0644; },
       "no request explains the mount at /proc/keys"},
      {"a mask that is a directory of the host", "docker-plain-runc",
       [](Container& c) { Replace(c.Line("/proc/acpi"), " / /proc/acpi", " /etc /proc/acpi"); },
       "no request explains the mount at /proc/acpi"},
      {"a mask that is writable", "docker-plain-runc",
       [](Container& c) { Replace(c.Line("/proc/acpi"), " ro,", " rw,"); },
       "the mount at /proc/acpi lacks the recorded options ro"},
      {"a path that is not masked", "docker-plain-runc",
       [](Container& c) {
         std::erase_if(c.lines, [](const std::string& line) {
           return line.find(" /sys/firmware ") != std::string::npos;
         });
         c.at.at("/sys/firmware").mount_id = c.Id("/sys");
       },
       "/sys/firmware is not masked"},
      {"a path that is writable", "docker-plain-runc",
       [](Container& c) {
         std::erase_if(c.lines, [](const std::string& line) {
           return line.find(" /proc/sys ") != std::string::npos;
         });
         c.at.at("/proc/sys").mount_id = c.Id("/proc");
       },
       "/proc/sys is writable"},
      {"another directory in place of a read-only path", "docker-plain-runc",
       [](Container& c) { Replace(c.Line("/proc/sys"), " /sys /proc/sys", " /1 /proc/sys"); },
       "no request explains the mount at /proc/sys"},
      {"a read-only path that is not", "docker-plain-runc",
       [](Container& c) { Replace(c.Line("/proc/sys"), " ro,", " rw,"); },
       "the mount at /proc/sys lacks the recorded options ro"},
      {"the cgroup of another container", "docker-plain-runc",
       [](Container& c) { c.cgroups = {"/docker/other"}; },
       "no request explains the mount at /sys/fs/cgroup/"},
      {"a controller that is writable", "docker-plain-runc",
       [](Container& c) { Replace(c.Line("/sys/fs/cgroup/pids"), " ro,", " rw,"); },
       "the mount at /sys/fs/cgroup/pids lacks the recorded options ro"},
      {"what was bound recursively with a volume", "hand-binds-runc",
       [](Container& c) { c.submount_fault = "is the host's /etc"; }, "was bound recursively with"},
      {"what came along and lost nosuid", "hand-binds-runc",
       [](Container& c) {
         for (std::string& line : c.lines) {
           if (line.find(" /data/sub ") != std::string::npos) Replace(line, ",nosuid", "");
         }
       },
       "the mount at /data/sub lacks the recorded options nosuid"},
      {"a mount below a bind that is not recursive", "hand-binds-runc",
       [](Container& c) { c.Mount("/data").is_recursive = false; },
       "no request explains the mount at /data/sub"},
      {"a covered bind of another source", "hand-cover-runc",
       [](Container& c) { c.Mount("/v/inner").root += "x"; }, "/v/inner is not what was checked"},
      {"a covered bind whose source can be exchanged", "hand-cover-runc",
       [](Container& c) {
         c.Mount("/v/inner").replaceable_because = "could be replaced by user 1000";
       },
       "its source could be replaced by user 1000"},
      {"a device node that is another one", "hand-userdev-runc",
       [](Container& c) { c.topmost.at(c.Id("/dev/zero")).device_number = makedev(1, 1); },
       "no request explains the mount at /dev/zero"},
      {"a device that was not asked for", "hand-userdev-crun",
       [](Container& c) { c.promise.devices.clear(); },
       "no request explains the mount at /dev/fuse"},
      {"a mask of crun's that is another device", "hand-plain-crun",
       [](Container& c) { c.topmost.at(c.Id("/proc/keys")).device_number = makedev(1, 1); },
       "no request explains the mount at /proc/keys"},
      {"crun's copy of a volume without nosuid", "hand-plain-crun",
       [](Container& c) {
         c.promise.readonly_paths.emplace_back("/dev/shm");
         std::string line = c.Line("/dev/shm").substr(c.Line("/dev/shm").find("0:"));
         Replace(line, " rw,nosuid,nodev,noexec", " ro");
         c.Add("/dev/shm", line);
       },
       "the mount at /dev/shm lacks the recorded options nosuid, nodev, noexec"},
      {"an overlay of other layers", "podman-overlay-runc",
       [](Container& c) { Replace(c.Line("/x"), "lowerdir=/", "lowerdir=/other/"); },
       "does not have the layers that were checked"},
      {"a terminal of the host", "docker-tty-runc",
       [](Container& c) { Replace(c.Line("/dev/console"), " 0:", " 9:"); },
       "no request explains the mount at /dev/console"},
  };
  return all;
}

TEST(MountAccount, RefusesUnexpectedMounts) {
  EXPECT_GE(ForeignMounts().size(), 20U);
  for (const Foreign& foreign : ForeignMounts()) {
    Container container = Load(kTables / (std::string(foreign.table) + ".json"));
    ASSERT_EQ(WhyNot(container), "") << foreign.table;
    foreign.change(container);
    const std::string why = WhyNot(container);
    EXPECT_NE(why.find(foreign.why), std::string::npos) << foreign.name << ": " << why;
  }
}

// One after the other, every mount is given a directory of the host's disk to show.
TEST(MountAccount, NeverMatchesByMountPointAlone) {
  for (const auto& entry : std::filesystem::directory_iterator(kTables)) {
    const Container whole = Load(entry.path());
    for (std::size_t i = 0; i < whole.lines.size(); ++i) {
      Container container = whole;
      std::string& line = container.lines[i];
      const std::uint64_t id = std::stoull(line);
      const std::size_t device = line.find(' ', line.find(' ') + 1) + 1;
      const std::size_t root = line.find(' ', device) + 1;
      const std::size_t point = line.find(' ', root) + 1;
      line = line.substr(0, device) + "254:0 /etc " + line.substr(point, line.find(" - ") - point) +
             " - ext4 /dev/vda rw";
      if (const auto seen = container.topmost.find(id); seen != container.topmost.end()) {
        seen->second.inode = {.device = makedev(254, 0), .number = 2};
        seen->second.mode = S_IFDIR | 0755;
      }
      for (auto& [path, examined] : container.at) {
        if (examined.mount_id != id) continue;
        examined.mode = S_IFDIR | 0755;
      }
      EXPECT_NE(WhyNot(container), "") << entry.path() << ": " << whole.lines[i];
    }
  }
}

TEST(MountAccount, AcceptsMountsOfHooks) {
  Container container = Load(kTables / "docker-plain-runc.json");
  container.Add("/",
                "254:0 /usr/lib/x.so /usr/lib/x.so ro,nosuid,nodev,relatime - ext4 /dev/vda rw");
  EXPECT_NE(WhyNot(container), "");
  container.promise.hooks_may_mount = true;
  EXPECT_EQ(WhyNot(container), "");
  ++container.topmost.at(container.Id("/etc/hosts")).inode.number;
  EXPECT_NE(WhyNot(container), "") << "what was promised is not theirs";
}

// The runtime binds the root on itself first; a bind of a directory above it takes that along, here
// the one of the bundle at /v.
Container WithOwnRootBelowABind() {
  Container container = Load(kTables / "hand-cover-runc.json");
  container.submount_fault = "is not the host's";
  container.Mount("/v").source = "/srv/hand/b-cover-runc";
  container.root_path = "/srv/hand/b-cover-runc/rootfs";
  container.Add("/v",
                "254:0 /srv/hand/b-cover-runc/rootfs /v/rootfs rw,nosuid,nodev,noexec,relatime - "
                "ext4 /dev/vda rw");
  return container;
}
// A line of the container's again, on the copy of the root, somewhere below it.
void AddCopy(Container& container, const std::string& point, const std::string& place) {
  std::string line = container.Line(point);
  for (int i = 0; i < 2; ++i) line.erase(0, line.find(' ') + 1);
  Replace(line, " " + point + " ", " " + place + " ");
  container.lines.push_back("9001 9000 " + line);
}

TEST(MountAccount, AcceptsTheContainersRootBelowABind) {
  Container container = WithOwnRootBelowABind();
  EXPECT_EQ(WhyNot(container), "");
  AddCopy(container, "/dev", "/v/rootfs/dev");
  Replace(container.lines.back(), "nosuid,noexec", "nosuid,nodev,noexec");
  EXPECT_EQ(WhyNot(container), "");
}

TEST(MountAccount, RefusesImitationsOfTheContainersMounts) {
  const std::vector<Foreign> all = {
      {"the root at another place", "",
       [](Container& c) { Replace(c.Line("/v/rootfs"), " /v/rootfs", " /v/elsewhere"); },
       "was bound recursively with /srv/hand/b-cover-runc and is not the host's"},
      {"the root below its own place", "",
       [](Container& c) { Replace(c.Line("/v/rootfs"), " /v/rootfs", " /v/rootfs/srv"); },
       "is not the host's"},
      {"the root where it is not known to lie", "", [](Container& c) { c.root_path.clear(); },
       "is not the host's"},
      {"another directory at its place", "",
       [](Container& c) { Replace(c.Line("/v/rootfs"), "/rootfs /v", " /v"); },
       "is not the host's"},
      {"another file system at its place", "",
       [](Container& c) { Replace(c.Line("/v/rootfs"), "254:0", "254:1"); }, "is not the host's"},
      {"the root with fewer flags than the bind", "",
       [](Container& c) { Replace(c.Line("/v/rootfs"), ",nosuid", ""); },
       "the mount at /v/rootfs lacks the recorded options nosuid"},
      {"one of its mounts at another place", "",
       [](Container& c) { AddCopy(c, "/dev/shm", "/v/rootfs/srv/dev/shm"); }, "is not the host's"},
      {"one of its mounts beside it", "",
       [](Container& c) { AddCopy(c, "/dev/shm", "/v/dev/shm"); }, "is not the host's"},
      {"one of its mounts with fewer flags", "",
       [](Container& c) {
         c.Mount("/v").submount_flags = 0;
         AddCopy(c, "/dev/shm", "/v/rootfs/dev/shm");
         Replace(c.lines.back(), ",nodev", "");
       },
       "is not the host's"},
      {"its /proc, of which nothing is hidden", "",
       [](Container& c) { AddCopy(c, "/proc", "/v/rootfs/proc"); },
       "is the container's own /proc without the mounts that hide or protect parts of it"},
  };
  for (const Foreign& foreign : all) {
    Container container = WithOwnRootBelowABind();
    foreign.change(container);
    const std::string why = WhyNot(container);
    EXPECT_NE(why.find(foreign.why), std::string::npos) << foreign.name << ": " << why;
  }
  // Beside the host's /proc that is no more than the container has.
  Container container = WithOwnRootBelowABind();
  AddCopy(container, "/proc", "/v/rootfs/proc");
  PromisedMount root = container.Mount("/v");
  root.point = "/host";
  root.source = "/";
  container.promise.mounts.push_back(root);
  std::string line = container.Line("/v").substr(container.Line("/v").find("254:0"));
  Replace(line, " /v ", " /host ");
  container.lines.push_back("9100 " + std::to_string(container.Id("/")) + " " + line);
  container.topmost[9100] = container.topmost.at(container.Id("/v"));
  container.topmost[9100].mount_id = 9100;
  EXPECT_EQ(WhyNot(container), "");
}

// A table of 100,000 lines, of which half are the other half below a bind.
TEST(MountAccount, IsLinearInTheNumberOfMounts) {
  Container container = WithOwnRootBelowABind();
  const std::string flags = " rw,nosuid,nodev,noexec,relatime - tmpfs tmpfs rw";
  const std::uint64_t root = container.Id("/");
  constexpr int kMounts = 50000;
  for (int i = 0; i < kMounts; ++i) {
    const std::string number = std::to_string(i);
    const std::string file_system = "0:" + std::to_string(1000 + i) + " / ";
    PromisedMount mount;
    mount.point = "/m/" + number;
    mount.type = "tmpfs";
    container.promise.mounts.push_back(mount);
    container.lines.push_back(std::to_string(10000 + i) + " " + std::to_string(root) + " " +
                              file_system + mount.point + flags);
    container.lines.push_back(std::to_string(70000 + i) + " 9000 " + file_system + "/v/rootfs" +
                              mount.point + flags);
    container.promise.devices.push_back({"/dev/" + number, "c", 1, i});
  }
  const std::clock_t before = std::clock();
  EXPECT_EQ(WhyNot(container), "");
#if defined(RUNCLAD_UNDER_ASAN)
  constexpr std::clock_t kSeconds = 20;
#else
  constexpr std::clock_t kSeconds = 3;  // in proportion to the square of the lines it was 50
#endif
  EXPECT_LT(std::clock() - before, kSeconds * CLOCKS_PER_SEC);
}

// As podman has it where a container joins the user namespace and the network of another: the
// host's /sys with its cgroups and debugfs. podman 5 mounts the container's cgroups over the
// host's.
Container WithHostSys(bool has_own_cgroups) {
  Container container = Load(kTables / "hand-user-runc.json");
  const std::string flags = " ro,nosuid,nodev,noexec,relatime - ";
  const std::string sys = std::to_string(container.Id("/sys"));
  const std::string root = std::to_string(container.Id("/"));
  container.Line("/sys") = sys + " " + root + " 0:22 / /sys" + flags + "sysfs sysfs rw";
  container.topmost[std::stoull(sys)].inode = {.device = 22, .number = 1};
  PromisedMount& promised = container.Mount("/sys");
  promised.type.clear();
  promised.source = "/sys";
  promised.device = 22;
  promised.inode = 1;
  promised.is_recursive = true;
  promised.submount_flags = promised.flags;
  promised.hides_submounts = true;
  const auto add = [&](int id, const std::string& parent, const std::string& rest) {
    container.lines.push_back(std::to_string(id) + " " + parent + " " + rest);
  };
  add(9100, sys, "0:28 / /sys/fs/cgroup" + flags + "tmpfs tmpfs rw");
  add(9101, "9100", "0:29 / /sys/fs/cgroup/cpu" + flags + "cgroup cgroup rw,cpu");
  add(9102, sys, "0:7 / /sys/kernel/debug" + flags + "debugfs debugfs rw");
  container.host.emplace_back("8900 113 0:7 / /sys/kernel/debug rw - debugfs debugfs rw");
  add(9103, "9102", "0:990 / /sys/kernel/debug ro,relatime - tmpfs tmpfs ro");
  container.promise.masked_paths.emplace_back("/sys/kernel/debug");
  const auto stands = [&](const std::string& path, std::uint64_t mount) {
    container.at[path] = {.inode = {}, .mode = S_IFDIR, .mount_id = mount, .is_mount_root = true};
  };
  stands("/sys/kernel/debug", 9103);
  stands("/sys/fs/cgroup", 9104);
  if (!has_own_cgroups) {
    add(9104, "9100", "0:991 / /sys/fs/cgroup ro,relatime - tmpfs tmpfs ro");
    container.promise.masked_paths.emplace_back("/sys/fs/cgroup");
    return container;
  }
  add(9104, "9100", "0:991 / /sys/fs/cgroup rw,nosuid,nodev,noexec - tmpfs tmpfs rw");
  add(9105, "9104", "0:29 /hand/user-runc /sys/fs/cgroup/cpu" + flags + "cgroup cgroup rw,cpu");
  PromisedMount cgroups;
  cgroups.point = "/sys/fs/cgroup";
  cgroups.type = "cgroup";
  cgroups.flags = kReadOnly | kNoSuid | kNoDev | kNoExec;
  container.promise.mounts.push_back(cgroups);
  return container;
}

void RemoveLine(Container& container, const std::string& id) {
  std::erase_if(container.lines,
                [&](const std::string& line) { return line.starts_with(id + " "); });
}

TEST(MountAccount, AcceptsHiddenSubmountsOfTheHostsSys) {
  EXPECT_EQ(WhyNot(WithHostSys(false)), "");
  EXPECT_EQ(WhyNot(WithHostSys(true)), "");
  // cgroup v2: the host's tree could pass for the container's.
  Container unified = WithHostSys(true);
  RemoveLine(unified, "9101");
  RemoveLine(unified, "9105");
  for (std::string& line : unified.lines) {
    if (line.starts_with("9100 ")) Replace(line, "0:28 / /sys/fs/cgroup", "0:38 / /sys/fs/cgroup");
    if (line.starts_with("9100 ")) Replace(line, "tmpfs tmpfs", "cgroup2 cgroup2");
    if (line.starts_with("9104 ")) {
      line = "9104 9100 0:38 /hand/user-runc /sys/fs/cgroup ro,nosuid,nodev,noexec - cgroup2 c rw";
    }
  }
  EXPECT_EQ(WhyNot(unified), "");
  // crun has an empty tmpfs between the two.
  for (std::string& line : unified.lines) {
    if (line.starts_with("9104 9100 ")) Replace(line, "9104 9100 ", "9104 9106 ");
  }
  unified.lines.emplace_back("9106 9100 0:992 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw");
  EXPECT_EQ(WhyNot(unified), "");
  // Nobody else's bind brings that along.
  for (const bool has_own_cgroups : {false, true}) {
    Container container = WithHostSys(has_own_cgroups);
    container.Mount("/sys").hides_submounts = false;
    container.submount_fault = "is denied";
    EXPECT_NE(WhyNot(container), "");
  }
}

TEST(MountAccount, RefusesVisibleSubmountsOfTheHostsSys) {
  struct Case {
    const char* name;
    bool has_own_cgroups;
    std::function<void(Container&)> change;
    const char* why;
  };
  const Case cases[] = {
      {"a mount that came since", false,
       [](Container& c) { c.Add("/sys", "0:8 / /sys/power ro,nosuid,nodev,noexec - bpf bpf rw"); },
       "/sys/power was bound recursively with /sys and is not masked"},
      {"a mount without a mask", false,
       [](Container& c) {
         RemoveLine(c, "9103");
         std::erase(c.promise.masked_paths, "/sys/kernel/debug");
       },
       "/sys/kernel/debug was bound recursively with /sys and is not masked"},
      {"a mask that is not there", false,
       [](Container& c) {
         RemoveLine(c, "9103");
         c.at["/sys/kernel/debug"].mount_id = 9102;
       },
       "/sys/kernel/debug is not masked"},
      {"a mount that is writable", false,
       [](Container& c) {
         for (std::string& line : c.lines) {
           if (line.starts_with("9101 ")) Replace(line, " ro,", " rw,");
         }
       },
       "/sys/fs/cgroup/cpu lacks the recorded options ro"},
      {"another file system at /sys", false,
       [](Container& c) { ++c.topmost.at(c.Id("/sys")).inode.device; }, "its source was swapped"},
      {"no cgroups of the container's", true,
       [](Container& c) {
         RemoveLine(c, "9104");
         RemoveLine(c, "9105");
       },
       "nothing is mounted at /sys/fs/cgroup"},
      {"the host's cgroups above the container's", true,
       [](Container& c) { c.at["/sys/fs/cgroup"].mount_id = 9100; },
       "/sys/fs/cgroup is not what was promised there"},
  };
  for (const Case& entry : cases) {
    Container container = WithHostSys(entry.has_own_cgroups);
    entry.change(container);
    EXPECT_NE(WhyNot(container).find(entry.why), std::string::npos)
        << entry.name << ": " << WhyNot(container);
  }
}

TEST(MountAccount, AcceptsFileSystemsOfASharedNamespace) {
  Container container = Load(kTables / "docker-plain-runc.json");
  std::string device = container.Line("/proc").substr(container.Line("/proc").find("0:"));
  device.resize(device.find(' '));
  container.host.push_back("8999 1 " + device + " / /proc/x rw - proc proc rw");
  EXPECT_NE(WhyNot(container), "");
  std::erase_if(container.promise.namespaces,
                [](const PromisedNamespace& entry) { return entry.name == "pid"; });
  EXPECT_EQ(WhyNot(container), "");
}

}  // namespace
}  // namespace runclad::enforce::mount_account_test
