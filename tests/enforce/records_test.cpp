#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "runclad/enforce/record.hpp"
#include "runclad/sys/process.hpp"

namespace runclad::enforce::records_test {
namespace {

// Records live in /run/runclad, named by the inode of a runtime root of this test's own.
class RecordsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = "/tmp/runclad-records-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    auto records = store::Records::Open(root_, /*create=*/true);
    ASSERT_TRUE(records) << records.error().message;
    records_.emplace(*std::move(records));
    struct stat status {};
    ASSERT_EQ(::stat(root_.c_str(), &status), 0);
    directory_ = std::string(store::kRecordsDirectory) + "/" + std::to_string(status.st_dev) + "-" +
                 std::to_string(status.st_ino);
  }
  void TearDown() override {
    std::filesystem::remove_all(root_);
    std::filesystem::remove_all(directory_);
  }

  static Record Sample(const std::string& id) {
    Record record;
    record.id = id;
    record.bundle = "/bundles/" + id;
    record.process_policy.profile = "restricted";
    record.process_policy.mode = policy::Mode::kAudit;
    record.process_policy.digest = "12ab";
    record.process_policy.log = {
        .target = "syslog",
        .required = true,
        .level = policy::LogLevel::kWarning,
        .max_megabytes = 7,
        .keep = 2,
        .forward = policy::LogForward{policy::LogFormat::kFalco, "file:/var/log/falco.json"}};
    policy::RuleSetting setting{policy::Action::kFix, {}};
    setting.parameters.Set("allow", std::vector<std::string>{"CAP_KILL"});
    setting.parameters.Set("bytes", std::int64_t{-1});
    setting.parameters.Set("unlisted", std::string("fix"));
    setting.parameters.Set("deny-socketcall", true);
    record.process_policy.rules["capabilities"] = setting;
    record.identity.config_digest = "sha256:" + std::string(64, 'c');
    record.identity.manifest_digests = {"sha256:" + std::string(64, 'd')};
    record.identity.asked_for = *engine::ParseReference("nginx:1.27");
    record.identity.names = {{*record.identity.asked_for, engine::Tier::kTag}};
    record.identity.pod_namespace = "web";
    record.identity.unverified = {.names = {*engine::ParseReference("nginx:1.27")},
                                  .digests = {"sha256:" + std::string(64, 'e')},
                                  .may_have_other_names = true};
    record.promise.has_mounts = true;
    record.promise.capabilities[3] = 32;
    record.promise.read_only_root = true;
    record.promise.namespaces = {{"pid", 0}};
    PromisedMount& data = record.promise.mounts.emplace_back();
    data.point = "/data";
    data.inode = 18446744073709551615U;
    record.findings = json::Value(std::vector<std::string>{"finding"});
    return record;
  }

  void Age(const std::string& name) const {
    std::filesystem::last_write_time(
        directory_ + "/" + name,
        std::filesystem::file_time_type::clock::now() - std::chrono::minutes(11));
  }

  std::string root_;
  std::string directory_;
  std::optional<store::Records> records_;
};

TEST_F(RecordsTest, RoundTrip) {
  const Record written = Sample("web");
  ASSERT_TRUE(WriteRecord(*records_, written));
  const auto found = FindRecord(*records_, "web");
  ASSERT_TRUE(found && found->has_value());
  const Record& record = **found;
  EXPECT_EQ(record.identity.config_digest, written.identity.config_digest);
  EXPECT_EQ(record.identity.manifest_digests, written.identity.manifest_digests);
  EXPECT_EQ(record.identity.asked_for, written.identity.asked_for);
  EXPECT_EQ(record.identity.names, written.identity.names);
  EXPECT_EQ(record.identity.pod_namespace, "web");
  EXPECT_EQ(record.identity.unverified, written.identity.unverified);
  EXPECT_EQ(record.id, written.id);
  EXPECT_EQ(record.bundle, written.bundle);
  EXPECT_EQ(record.findings, written.findings);
  EXPECT_EQ(record.promise.capabilities[3], 32U);
  EXPECT_TRUE(record.promise.read_only_root);
  EXPECT_FALSE(record.promise.seccomp);
  EXPECT_TRUE(record.promise.HasOwn("pid"));
  ASSERT_EQ(record.promise.mounts.size(), 1U);
  EXPECT_EQ(record.promise.mounts[0].inode, 18446744073709551615U);
  EXPECT_EQ(record.process_policy.profile, "restricted");
  EXPECT_EQ(record.process_policy.mode, policy::Mode::kAudit);
  EXPECT_EQ(record.process_policy.digest, "12ab");
  EXPECT_EQ(record.process_policy.log, written.process_policy.log);
  const auto& rules = record.process_policy.rules;
  ASSERT_EQ(rules.size(), 1U);
  EXPECT_EQ(rules.at("capabilities").action, policy::Action::kFix);
  EXPECT_EQ(rules.at("capabilities").parameters.all(),
            written.process_policy.rules.at("capabilities").parameters.all());
}

// Its policy is that of the host, and start does not verify what was only recorded.
TEST_F(RecordsTest, KeepThatAContainerWasMadeUnderBreakGlass) {
  Record record = Sample("made");
  record.process_policy.mode = policy::Mode::kEnforce;
  ASSERT_TRUE(WriteRecord(*records_, record));
  EXPECT_TRUE((*FindRecord(*records_, "made"))->process_policy.is_enforced());
  record.process_policy.break_glass = "INC-4711";
  ASSERT_TRUE(WriteRecord(*records_, record));
  for (const RecordParts parts : {RecordParts::kLife, RecordParts::kAll}) {
    const auto found = FindRecord(*records_, "made", parts);
    ASSERT_TRUE(found && found->has_value());
    EXPECT_EQ((*found)->process_policy.break_glass, "INC-4711");
    EXPECT_EQ((*found)->process_policy.mode, policy::Mode::kEnforce);
    EXPECT_FALSE((*found)->process_policy.is_enforced());
  }
}

TEST_F(RecordsTest, APartialReadHasWhatStartNeeds) {
  ASSERT_TRUE(WriteRecord(*records_, Sample("web")));
  const auto found = FindRecord(*records_, "web", RecordParts::kLife);
  ASSERT_TRUE(found && found->has_value());
  EXPECT_EQ((*found)->bundle, "/bundles/web");
  EXPECT_EQ((*found)->promise.mounts.size(), 1U);
  EXPECT_EQ((*found)->process_policy.mode, policy::Mode::kAudit);
  EXPECT_TRUE((*found)->process_policy.log.required);
  EXPECT_TRUE((*found)->process_policy.rules.empty());
}

// A health check's exec does not read the mounts of a container that was verified at start.
TEST_F(RecordsTest, WhereAProcessIsRecordedExecReadsNoPromise) {
  Record record = Sample("web");
  record.pid = 0;
  ASSERT_TRUE(WriteRecord(*records_, record));
  const auto unstarted = FindRecord(*records_, "web", RecordParts::kRunning);
  ASSERT_TRUE(unstarted && unstarted->has_value());
  EXPECT_TRUE((*unstarted)->has_promise);
  EXPECT_EQ((*unstarted)->promise.mounts.size(), 1U);
  record.pid = 7;
  ASSERT_TRUE(WriteRecord(*records_, record));
  const auto started = FindRecord(*records_, "web", RecordParts::kRunning);
  ASSERT_TRUE(started && started->has_value());
  EXPECT_FALSE((*started)->has_promise);
  EXPECT_FALSE((*started)->process_policy.rules.empty());
  EXPECT_TRUE((*FindRecord(*records_, "web"))->has_promise);
}

TEST_F(RecordsTest, AddingTheFirstProcessChangesNothingElse) {
  ASSERT_TRUE(WriteRecord(*records_, Sample("web")));
  const auto read = [&] {
    std::stringstream text;
    text << std::ifstream(directory_ + "/web.json").rdbuf();
    return text.str();
  };
  const std::string before = read();
  ASSERT_TRUE(records_->Stamp("web", ::getpid(), *sys::StartTime(::getpid())));
  EXPECT_EQ(records_->FindByPid(::getpid()), "web");
  const std::string stamped = read();
  EXPECT_NE(stamped, before);
  ASSERT_TRUE(records_->Stamp("web", 0, 0));
  EXPECT_EQ(read(), before);
  EXPECT_FALSE(records_->Stamp("db", 1, 1)) << "there is no such record";
  std::ofstream(directory_ + "/odd.json") << R"({"id":"odd","pid":0})";
  EXPECT_FALSE(records_->Stamp("odd", 1, 1)) << "nothing says where the start time goes";
}

TEST_F(RecordsTest, AcceptTheLongestId) {
  const std::string longest(250, 'i');
  ASSERT_TRUE(WriteRecord(*records_, Sample(longest)));
  EXPECT_TRUE(FindRecord(*records_, longest) && records_->Find(longest)->has_value());
  const auto written = WriteRecord(*records_, Sample(longest + "i"));
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().message,
            "the container id has 251 bytes; runclad supports at most 250");
  const auto found = FindRecord(*records_, longest + "i");
  EXPECT_TRUE(found && !found->has_value()) << "so there is none";
}

TEST_F(RecordsTest, AreNotFoundForAnotherContainer) {
  ASSERT_TRUE(WriteRecord(*records_, Sample("web")));
  const auto other = FindRecord(*records_, "db");
  ASSERT_TRUE(other);
  EXPECT_FALSE(other->has_value());
}

TEST_F(RecordsTest, AreErrorsIfOthersCanWriteThem) {
  ASSERT_TRUE(WriteRecord(*records_, Sample("web")));
  ASSERT_EQ(::chmod((directory_ + "/web.json").c_str(), 0666), 0);
  EXPECT_FALSE(FindRecord(*records_, "web"));
}

TEST_F(RecordsTest, AreErrorsIfTruncatedOrOfAnotherContainer) {
  std::ofstream(directory_ + "/cut.json") << R"({"id":"cut","bun)";
  EXPECT_FALSE(FindRecord(*records_, "cut"));
  ASSERT_TRUE(WriteRecord(*records_, Sample("web")));
  std::filesystem::copy(directory_ + "/web.json", directory_ + "/copy.json");
  EXPECT_FALSE(FindRecord(*records_, "copy"));
}

// Of the versions that had no number, and of those that this one cannot know.
TEST_F(RecordsTest, CarryAFormatVersion) {
  ASSERT_TRUE(WriteRecord(*records_, Sample("web")));
  const std::string path = directory_ + "/web.json";
  std::ifstream file(path);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  const std::string version = R"("version":1)";
  const auto at = text.find(version);
  ASSERT_NE(at, std::string::npos);
  std::ofstream(path) << std::string(text).replace(at, version.size(), R"("version":2)");
  const auto later = FindRecord(*records_, "web");
  ASSERT_FALSE(later);
  EXPECT_NE(later.error().message.find("was written by a later version of runclad"),
            std::string::npos);
  std::ofstream(path) << std::string(text).replace(at, version.size(), R"("other":1)");
  EXPECT_TRUE(FindRecord(*records_, "web"));
}

TEST_F(RecordsTest, AreFoundByTheFirstProcess) {
  Record record = Sample("web");
  record.pid = ::getpid();
  record.start_time = *sys::StartTime(::getpid());
  ASSERT_TRUE(WriteRecord(*records_, record));
  EXPECT_EQ(records_->FindByPid(::getpid()), "web");
  record.start_time += 1;  // the number went to another process
  ASSERT_TRUE(WriteRecord(*records_, record));
  EXPECT_EQ(records_->FindByPid(::getpid()), "");
  records_->Remove("web");
  EXPECT_FALSE(std::filesystem::is_symlink(directory_ + "/pid-" + std::to_string(::getpid())));
}

// run has no start that would write the process into the record: the lower runtime's state has it.
TEST_F(RecordsTest, FindTheContainerThatRunStarted) {
  ASSERT_TRUE(WriteRecord(*records_, Sample("web")));
  ASSERT_TRUE(WriteRecord(*records_, Sample("other")));
  EXPECT_EQ(records_->FindByPid(::getpid()), "");
  std::filesystem::create_directories(root_ + "/web");
  const auto write_state = [&](std::uint64_t start_time) {
    std::ofstream(root_ + "/web/state.json") << R"({"init_process_pid":)" << ::getpid()
                                             << R"(,"init_process_start":)" << start_time << "}";
  };
  write_state(*sys::StartTime(::getpid()));
  EXPECT_EQ(records_->FindByPid(::getpid()), "web");
  EXPECT_EQ(records_->FindByPid(::getppid()), "");
  // Created and not started: nothing has compared it with its record.
  std::ofstream(root_ + "/web/exec.fifo").flush();
  EXPECT_EQ(records_->FindByPid(::getpid()), "");
  std::filesystem::remove(root_ + "/web/exec.fifo");
  write_state(*sys::StartTime(::getpid()) + 1);
  EXPECT_EQ(records_->FindByPid(::getpid()), "") << "the number went to another process";
}

TEST_F(RecordsTest, SweepRemovesOldRecordsOfRemovedContainers) {
  for (const char* id : {"gone", "fresh", "living"})
    ASSERT_TRUE(WriteRecord(*records_, Sample(id)));
  std::filesystem::create_directory(root_ + "/living");
  std::ofstream(directory_ + "/.runclad-1") << "cut sho";
  std::ofstream(directory_ + "/.runclad-2") << "being writ";
  Age("gone.json");
  Age("living.json");
  Age(".runclad-1");
  records_->Sweep(root_);
  EXPECT_FALSE(std::filesystem::exists(directory_ + "/gone.json"));
  EXPECT_TRUE(std::filesystem::exists(directory_ + "/fresh.json")) << "younger than ten minutes";
  EXPECT_TRUE(std::filesystem::exists(directory_ + "/living.json"));
  EXPECT_FALSE(std::filesystem::exists(directory_ + "/.runclad-1")) << "its writer died";
  EXPECT_TRUE(std::filesystem::exists(directory_ + "/.runclad-2"));

  ASSERT_TRUE(WriteRecord(*records_, Sample("later")));
  Age("later.json");
  records_->Sweep(root_);
  EXPECT_TRUE(std::filesystem::exists(directory_ + "/later.json")) << "swept a moment ago";
}

TEST_F(RecordsTest, SweepRemovesDanglingLinksAndTemporaryFiles) {
  ASSERT_TRUE(WriteRecord(*records_, Sample("living")));
  std::filesystem::create_directory(root_ + "/living");
  const char* const kOld[] = {".x.json.runclad-1", ".runclad-2"};
  for (const char* name : kOld) {
    std::ofstream(directory_ + "/" + name) << "{";
    Age(name);
  }
  std::ofstream(directory_ + "/.runclad-3") << "{";
  std::filesystem::create_symlink("gone", directory_ + "/pid-1");
  std::filesystem::create_symlink("living", directory_ + "/pid-2");
  constexpr timespec kLongAgo[] = {{1'600'000'000, 0}, {1'600'000'000, 0}};
  for (const char* name : {"pid-1", "pid-2"}) {
    ::utimensat(AT_FDCWD, (directory_ + "/" + name).c_str(), static_cast<const timespec*>(kLongAgo),
                AT_SYMLINK_NOFOLLOW);
  }
  records_->Sweep(root_);
  for (const char* name : {".x.json.runclad-1", ".runclad-2", "pid-1"}) {
    EXPECT_FALSE(std::filesystem::is_regular_file(directory_ + "/" + name)) << name;
    EXPECT_FALSE(std::filesystem::is_symlink(directory_ + "/" + name)) << name;
  }
  EXPECT_TRUE(std::filesystem::exists(directory_ + "/.runclad-3")) << "being written";
  EXPECT_TRUE(std::filesystem::is_symlink(directory_ + "/pid-2"));
}

TEST_F(RecordsTest, SweepResumesAfterAnInterruption) {
  constexpr int kDead = 150;
  for (int i = 0; i < kDead; ++i) {
    const std::string name = "dead" + std::to_string(i) + ".json";
    std::ofstream(directory_ + "/" + name) << "not even JSON";
    Age(name.c_str());
  }
  const auto left = [&] {
    int count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
      count += entry.path().extension() == ".json" ? 1 : 0;
    }
    return count;
  };
  records_->Sweep(root_);
  EXPECT_EQ(left(), kDead - 64);
  records_->Sweep(root_);
  records_->Sweep(root_);
  EXPECT_EQ(left(), 0);
}

TEST_F(RecordsTest, SweepDoesNotTrustTheClock) {
  ASSERT_TRUE(WriteRecord(*records_, Sample("gone")));
  ASSERT_TRUE(WriteRecord(*records_, Sample("ahead")));
  Age("gone.json");
  std::ofstream(directory_ + "/swept") << "";
  const auto ahead = std::filesystem::file_time_type::clock::now() + std::chrono::hours(10000);
  std::filesystem::last_write_time(directory_ + "/swept", ahead);
  std::filesystem::last_write_time(directory_ + "/ahead.json", ahead);
  records_->Sweep(root_);
  EXPECT_FALSE(std::filesystem::exists(directory_ + "/gone.json"));
  EXPECT_TRUE(std::filesystem::exists(directory_ + "/ahead.json"));
  EXPECT_LT(std::filesystem::last_write_time(directory_ + "/ahead.json"),
            ahead - std::chrono::hours(1))
      << "it is as old as today";
}

TEST_F(RecordsTest, AreFoundThroughAnotherNameOfTheRoot) {
  ASSERT_TRUE(WriteRecord(*records_, Sample("web")));
  const std::string alias = root_ + "-alias";
  std::filesystem::create_directory_symlink(root_, alias);
  const auto records = store::Records::Open(alias, /*create=*/false);
  ASSERT_TRUE(records);
  const auto found = records->Find("web");
  EXPECT_TRUE(found && found->has_value());
  std::filesystem::remove(alias);
}

}  // namespace
}  // namespace runclad::enforce::records_test
