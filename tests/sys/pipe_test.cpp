// Documents in pipes.
#include "runclad/sys/pipe.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "runclad/base/unique_fd.hpp"

namespace runclad::sys::pipe_test {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMaxPiped = 100'000;

struct Pipe {
  UniqueFd reader;
  UniqueFd writer;
};

Pipe MakePipe() {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

// As --process /dev/fd/63 is opened.
UniqueFd OpenAgain(const UniqueFd& file) {
  return UniqueFd(::open(("/proc/self/fd/" + std::to_string(file.get())).c_str(),
                         O_RDONLY | O_NONBLOCK | O_CLOEXEC));
}

void Write(const UniqueFd& file, const std::string& text) {
  EXPECT_EQ(::write(file.get(), text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

TEST(Pipe, IsReadUntilItsLastWriterClosesIt) {
  Pipe pipe = MakePipe();
  const UniqueFd reader = OpenAgain(pipe.reader);
  std::thread slow([&] {
    Write(pipe.writer, "{\"args\":");
    std::this_thread::sleep_for(50ms);
    Write(pipe.writer, "[\"sh\"]}");
    pipe.writer = UniqueFd();
  });
  const auto input = ReadFileOrPipe(reader.get(), kMaxPiped);
  slow.join();
  ASSERT_TRUE(input) << input.error().message;
  EXPECT_EQ(input->bytes, R"({"args":["sh"]})");
  EXPECT_TRUE(input->is_pipe);
}

TEST(Pipe, ThatIsClosedAlreadyIsRead) {
  Pipe pipe = MakePipe();
  Write(pipe.writer, "{}");
  pipe.writer = UniqueFd();
  const auto input = ReadFileOrPipe(OpenAgain(pipe.reader).get(), kMaxPiped);
  ASSERT_TRUE(input) << input.error().message;
  EXPECT_EQ(input->bytes, "{}");
}

TEST(Pipe, WithoutAWriterOrAnEndIsAnErrorInTime) {
  const std::string fifo = ::testing::TempDir() + "/fifo-" + std::to_string(::getpid());
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  const UniqueFd lonely(::open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  ::unlink(fifo.c_str());
  const Pipe open = MakePipe();
  Write(open.writer, "{");
  for (const int file : {lonely.get(), open.reader.get()}) {
    const auto input = ReadFileOrPipe(file, kMaxPiped, 50ms);
    ASSERT_FALSE(input);
    EXPECT_EQ(input.error().message, "a pipe that was not closed within 1 s");
  }
}

TEST(Pipe, IsBounded) {
  Pipe pipe = MakePipe();
  Write(pipe.writer, std::string(101, 'x'));
  const auto input = ReadFileOrPipe(pipe.reader.get(), 100);
  ASSERT_FALSE(input);
  EXPECT_EQ(input.error().message, "larger than the 100 bytes allowed");
}

TEST(Pipe, MayBeAFileButNothingElse) {
  const UniqueFd file(::open("/proc/self/stat", O_RDONLY | O_CLOEXEC));
  const auto input = ReadFileOrPipe(file.get(), kMaxPiped);
  ASSERT_TRUE(input);
  EXPECT_FALSE(input->is_pipe);
  EXPECT_FALSE(input->bytes.empty());
  const UniqueFd null(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const auto none = ReadFileOrPipe(null.get(), kMaxPiped);
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().message, "not a regular file");
}

}  // namespace
}  // namespace runclad::sys::pipe_test
