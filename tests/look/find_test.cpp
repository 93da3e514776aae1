// Containers of runtime roots that nobody names.
#include <sys/mount.h>

#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runclad/look/container.hpp"
#include "runclad/store/records.hpp"

#include "../mount_namespace.hpp"
#include "victim.hpp"

namespace runclad::look::find_test {
namespace {

using runclad::testing::InPrivateMounts;
using runclad::testing::MakeDirectories;
using runclad::testing::WriteFile;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// As runc keeps it; the record has no process: `run` and `create` write none.
void MakeContainer(const std::string& root, const std::string& id, const Task& task) {
  MakeDirectories(root + "/" + id);
  const auto records = store::Records::Open(root, /*create=*/true);
  ASSERT_TRUE(records) << records.error().message;
  WriteFile(root + "/" + id + "/state.json",
            R"({"init_process_pid": )" + std::to_string(task.id) + R"(, "init_process_start": )" +
                std::to_string(task.start_time) + R"(, "config": {"labels": ["bundle=/srv/b"]}})");
}

std::vector<std::string> FoundIds() {
  const auto found = FindContainers({{}, LookOptions::Filters::kNone, {}});
  EXPECT_TRUE(found) << found.error().message;
  std::vector<std::string> ids;
  for (const Container& container : *found) {
    if (container.runtime_root.starts_with("/run/own/")) ids.push_back(container.id);
  }
  return ids;
}

TEST(FindContainers, KnowsTheRootsThatRuncladWasCalledWith) {
  InPrivateMounts([] {
    ASSERT_EQ(::mount("tmpfs", "/run", "tmpfs", 0, "mode=755"), 0);
    const Victim run([] {});
    const Victim created([] {});
    ASSERT_TRUE(run.is_ready() && created.is_ready());
    MakeContainer("/run/own/one", "run", run.task());
    MakeContainer("/run/own/two", "created", created.task());
    WriteFile("/run/own/two/created/exec.fifo");
    EXPECT_THAT(FoundIds(), ElementsAre("created", "run"));
    std::filesystem::rename("/run/own/one", "/run/own/aside");
    MakeDirectories("/run/own/one");
    EXPECT_THAT(FoundIds(), ElementsAre("created")) << "another directory of that name";
    std::filesystem::remove_all("/run/own");
    EXPECT_THAT(FoundIds(), IsEmpty());
  });
}

}  // namespace
}  // namespace runclad::look::find_test
