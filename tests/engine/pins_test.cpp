// The namespaces that an engine's record gives to a container.
#include "runclad/engine/pins.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <map>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "bolt_writer.hpp"
#include "fixture.hpp"
#include "tampering.hpp"

namespace runclad::engine::pins_test {
namespace {

using runclad::testing::InPrivateMounts;
using runclad::testing::MakeDirectories;
using runclad::testing::WriteFile;
using Paths = std::vector<std::string>;

const std::string kGraph = "/srv/storage";
const std::string kDatabase = kGraph + "/libpod/bolt_state.db";
const std::string kSandboxSpec = kGraph + "/overlay-containers/" + kPeer + "/userdata/config.json";

Result<std::optional<Pins>> PinsOf(Engine engine, const Pod& pod = {}) {
  Layout layout;
  layout.engine = engine;
  layout.id = kId;
  layout.data_root = kGraph;
  layout.storage_driver = "overlay";
  return FindPins(layout, pod);
}

void ExpectPins(const Paths& expected, const Result<std::optional<Pins>>& found) {
  ASSERT_TRUE(found) << found.error().message;
  ASSERT_TRUE(found->has_value());
  EXPECT_EQ(**found, expected);
}

void ExpectNoRecord(const Result<std::optional<Pins>>& found) {
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_FALSE(found->has_value());
}

// As podman 4.3 has it: a bucket of buckets by id, in each the container's texts.
void MakePodman() {
  Tree root;
  Tree& containers = root.At("ctr");
  containers.At(kId).values = {
      {"config", "{}"}, {"netns", "/run/netns/netns-own"}, {"state", "{}"}};
  containers.At(kPeer).values = {{"netns", "/run/netns/netns-peers"}, {"state", "{}"}};
  root.At("id-registry").values = {{kId, "one"}};
  std::filesystem::remove_all(kGraph);
  WriteFile(kDatabase, BoltWriter().Write(root));
}

TEST(Pins, ReadsPodmansNamespaces) {
  InPrivateMounts([] {
    MakeDirectories(kGraph);
    ExpectNoRecord(PinsOf(Engine::kPodman));
    MakePodman();
    ExpectPins({"/run/netns/netns-own"}, PinsOf(Engine::kPodman));
    const auto with = [](const std::map<std::string, std::string>& own) {
      Tree root;
      root.At("ctr").At(kId).values = own;
      root.At("ctr").At(kPeer).values = {{"netns", "/run/netns/netns-own"}, {"state", "{}"}};
      WriteFile(kDatabase, BoltWriter().Write(root));
      return PinsOf(Engine::kPodman);
    };
    ExpectPins({}, with({{"state", R"({"state":1,"networkStatus":{"netns":"/run/netns/x"}})"}}));
    // As later versions have it; some wrote both.
    const char* const state = R"({"state":1,"netns":"/run/netns/netns-new"})";
    ExpectPins({"/run/netns/netns-new"}, with({{"state", state}}));
    ExpectPins({"/run/netns/netns-new"}, with({{"state", state}, {"netns", "/run/netns/old"}}));
    for (const char* text : {"", "{", "[]", R"({"netns":1})", R"({"netns":"/a","netns":"/b"})"}) {
      EXPECT_FALSE(with({{"state", text}, {"netns", "/run/netns/old"}})) << text;
    }
    // A database that podman uses no longer.
    WriteFile(kDatabase, BoltWriter().Write({}));
    ExpectNoRecord(PinsOf(Engine::kPodman));
    Tree root;
    root.At("ctr").At(kPeer).values = {{"netns", "/run/netns/netns-own"}, {"state", "{}"}};
    WriteFile(kDatabase, BoltWriter().Write(root));
    ExpectNoRecord(PinsOf(Engine::kPodman));
  });
}

const std::string kSqlite = kGraph + "/db.sql";

void RunSql(const std::string& statements) {
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(kSqlite.c_str(), &database), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(database, statements.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
      << sqlite3_errmsg(database);
  sqlite3_close(database);
}

// As podman 5 has it.
void MakePodman5(const std::string& own_state) {
  std::filesystem::remove_all(kGraph);
  MakeDirectories(kGraph);
  const auto row = [](const std::string& id, const std::string& state) {
    return "INSERT INTO ContainerState VALUES('" + id + "', 1, NULL, CAST('" + state +
           "' AS BLOB));";
  };
  RunSql(
      "CREATE TABLE ContainerState(ID TEXT PRIMARY KEY NOT NULL, State INTEGER NOT NULL,"
      "  ExitCode INTEGER, JSON TEXT NOT NULL);" +
      row(kId, own_state) + row(kPeer, R"({"state":1,"netns":"/run/netns/netns-peers"})"));
}

TEST(Pins, ReadsPodmansNamespacesFromSqlite) {
  InPrivateMounts([] {
    MakePodman5(R"({"state":1,"netns":"/run/netns/netns-own","networkStatus":{"netns":"/x"}})");
    ExpectPins({"/run/netns/netns-own"}, PinsOf(Engine::kPodman));
    // Beside the database of an older podman.
    WriteFile(kDatabase, BoltWriter().Write({}));
    ExpectPins({"/run/netns/netns-own"}, PinsOf(Engine::kPodman));
    RunSql("DELETE FROM ContainerState WHERE ID = '" + kId + "'");
    ExpectNoRecord(PinsOf(Engine::kPodman));
    MakePodman5(R"({"state":1,"networkStatus":{"netns":"/run/netns/x"}})");
    ExpectPins({}, PinsOf(Engine::kPodman));
    for (const char* text : {"", "{", "[]", R"({"netns":1})", R"({"netns":"/a","netns":"/b"})"}) {
      MakePodman5(text);
      EXPECT_FALSE(PinsOf(Engine::kPodman)) << text;
    }
  });
}

TEST(Pins, DoesNotReadASqliteDatabaseThatIsBeingWritten) {
  InPrivateMounts([] {
    const char* const state = R"({"netns":"/run/netns/netns-own"})";
    MakePodman5(state);
    WriteFile(kSqlite + "-journal", "a transaction");
    EXPECT_FALSE(PinsOf(Engine::kPodman));
    WriteFile(kSqlite + "-journal", "");  // as SQLite leaves it where it truncates
    ExpectPins({"/run/netns/netns-own"}, PinsOf(Engine::kPodman));
    RunSql("PRAGMA journal_mode = WAL");
    EXPECT_FALSE(PinsOf(Engine::kPodman));
    // Another process that writes all the time: what is found is whole.
    MakePodman5(state);
    const pid_t writer = ::fork();
    if (writer == 0) {
      while (true) RunSql("UPDATE ContainerState SET ExitCode = 1");
    }
    for (int i = 0; i < 100; ++i) {
      const auto found = PinsOf(Engine::kPodman);
      if (found) {
        ExpectPins({"/run/netns/netns-own"}, found);
      } else {
        EXPECT_THAT(found.error().message, ::testing::HasSubstr("kept changing"));
      }
    }
    ::kill(writer, SIGKILL);
    ::waitpid(writer, nullptr, 0);
  });
}

TEST(Pins, RejectsAChangedSqliteDatabase) {
  InPrivateMounts([] {
    for (const Tampering& tampering : Tamperings()) {
      const std::string name = tampering.name;
      MakePodman5(R"({"netns":"/run/netns/netns-own"})");
      tampering.apply(kSqlite);
      const auto found = PinsOf(Engine::kPodman);
      if (name == "missing") {
        ExpectNoRecord(found);
      } else {
        EXPECT_FALSE(found) << name;
      }
    }
  });
}

TEST(Pins, RejectsAChangedFile) {
  InPrivateMounts([] {
    const auto make_crio = [] {
      std::filesystem::remove_all(kGraph);
      WriteFile(kSandboxSpec, R"({"linux":{"namespaces":[{"path":"/run/ipcns/1"}]}})");
    };
    const auto expect_error = [](const Tampering& tampering, Engine engine) {
      const std::string name = tampering.name;
      const auto found = PinsOf(engine, {kPeer, ""});
      if (name == "missing") return ExpectNoRecord(found);
      if (engine == Engine::kPodman && name == "with something behind it") return;
      if (engine == Engine::kPodman && name == "of 1 GiB") return;
      EXPECT_FALSE(found) << name;
    };
    for (const Tampering& tampering : Tamperings()) {
      MakePodman();
      tampering.apply(kDatabase);
      expect_error(tampering, Engine::kPodman);
      make_crio();
      tampering.apply(kSandboxSpec);
      expect_error(tampering, Engine::kCrio);
    }
  });
}

TEST(Pins, ReadsTheSandboxNamespacesOfCrio) {
  InPrivateMounts([] {
    MakeDirectories(kGraph);
    const Pod pod = {kPeer, "5f0e"};
    ExpectNoRecord(PinsOf(Engine::kCrio, pod));
    WriteFile(kSandboxSpec,
              R"({"ociVersion":"1.0.2-dev","annotations":{"path":"/run/netns/theirs"},)"
              R"("linux":{"cgroupsPath":"a:crio:b","namespaces":[{"type":"pid"},)"
              R"({"type":"network","path":"/var/run/netns/1-2"},)"
              R"({"type":"ipc","path":"/var/run/ipcns/1-2"},)"
              R"({"type":"uts","path":"/var/run/utsns/1-2"},{"type":"mount"}]}})");
    ExpectPins({"/var/run/netns/1-2", "/var/run/ipcns/1-2", "/var/run/utsns/1-2"},
               PinsOf(Engine::kCrio, pod));
    ExpectNoRecord(PinsOf(Engine::kCrio, {kOther, "5f0e"}));
    ExpectNoRecord(PinsOf(Engine::kCrio));
    for (const char* text : {"", "{", "[]", R"({"linux":[]})", R"({"linux":{"namespaces":{}}})",
                             R"({"linux":{"namespaces":[{"path":1}]}})",
                             R"({"linux":{"namespaces":[{"path":"/a","path":"/b"}]}})"}) {
      WriteFile(kSandboxSpec, text);
      EXPECT_FALSE(PinsOf(Engine::kCrio, pod)) << text;
    }
    WriteFile(kSandboxSpec, R"({"linux":{}})");
    ExpectPins({}, PinsOf(Engine::kCrio, pod));
  });
}

TEST(Pins, ReadsTheSandboxNamespacesOfContainerd) {
  ExpectPins({"/var/run/netns/cni-1"},
             PinsOf(Engine::kContainerd, {"box", "5f0e", "/var/run/netns/cni-1"}));
  ExpectPins({}, PinsOf(Engine::kContainerd, {"box", "5f0e"}));
  ExpectNoRecord(PinsOf(Engine::kContainerd));
}

TEST(Pins, AreUnknownForOtherEngines) {
  for (const Engine engine : {Engine::kDocker, Engine::kBuildkit, Engine::kUnknown}) {
    ExpectNoRecord(PinsOf(engine, {"box", "5f0e", "/var/run/netns/cni-1"}));
  }
}

}  // namespace
}  // namespace runclad::engine::pins_test
