// The first process of a container that means to be taken for one that cannot call acct(2):
//
//   evade exec     a thread without the filter is made when others of the container are read,
//   starts a
//                  program as soon as the first thread of its process was read, and goes on under
//                  the id and at the addresses of that one
//   evade leader   the first thread, which has the filter, ends, and another one goes on
//   evade moved    a process without the filter goes to the cgroups at the top of /sys/fs/cgroup
//   and to
//                  mounts of its own
//   evade ring     a ring that is made before the filter makes a socket (AF_VSOCK) after three
//   seconds,
//                  by a request that waits for it; no call is made meanwhile
//
// "reached" or "denied" is printed for each call: without a capability acct fails with EPERM, and
// the filter's answer is ENOSYS.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/io_uring.h>
#include <linux/seccomp.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <glob.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#if defined(__x86_64__)
enum { kNative = AUDIT_ARCH_X86_64 };
#else
enum { kNative = AUDIT_ARCH_AARCH64 };
#endif

enum { kFile = 3, kDecoys = 4, kIdle = 10 };

static struct Shared {
  volatile int is_reading;  // somebody reads the container
  volatile int was_read;    // and has read the first thread
} * shared;

static void Load(struct sock_filter* program, unsigned short size) {
  struct sock_fprog loaded = {size, program};
  prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &loaded);
}

// As an engine's: who has it cannot be told from who has another one without reading it.
static void AllowAll(void) {
  struct sock_filter program[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
  Load(program, 1);
}

static void DenyAcct(void) {
  struct sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_acct, 1, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 51, 0, 1),  // of 32-bit programs
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  Load(program, sizeof program / sizeof program[0]);
}

static void TryAcct(void) {
  int result = (int)syscall(SYS_acct, NULL);
  printf("%s\n", result != 0 && errno == ENOSYS ? "denied" : "reached");
  fflush(stdout);
}

// A tracer's stop ends the wait, although no signal came.
static void AwaitReader(void) {
  struct epoll_event event;
  int nothing = epoll_create1(0);
  while (epoll_wait(nothing, &event, 1, -1) >= 0) {
  }
}

static void Share(void) {
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, kFile, 0);
}

static void Start(const char* what) {
  char* arguments[] = {"evade", (char*)what, NULL};
  execv("/proc/self/exe", arguments);
  _exit(1);
}

static void* StartProgram(void* unused) {
  while (!shared->was_read) usleep(20);
  Start("again");
  return unused;
}

static void* Remain(void* unused) {
  for (;;) {
    TryAcct();
    sleep(1);
  }
  return unused;
}

// Has no filter that matters until the others are read.
static void BeFirstThread(void) {
  pthread_t thread;
  Share();
  while (!shared->is_reading) usleep(20);
  pthread_create(&thread, NULL, StartProgram, NULL);
  DenyAcct();
  AwaitReader();
  shared->was_read = 1;
  for (;;) pause();
}

static void ForkStrict(int count) {
  for (int i = 0; i < count; ++i) {
    if (fork() != 0) continue;
    DenyAcct();
    AwaitReader();
    shared->is_reading = 1;
    for (;;) pause();
  }
}

static void JoinCgroups(void) {
  static const char* const kPaths[] = {"/sys/fs/cgroup/cgroup.procs",
                                       "/sys/fs/cgroup/*/cgroup.procs"};
  for (size_t i = 0; i < sizeof kPaths / sizeof *kPaths; ++i) {
    glob_t found;
    if (glob(kPaths[i], 0, NULL, &found) != 0) continue;
    for (size_t k = 0; k < found.gl_pathc; ++k) {
      const int file = open(found.gl_pathv[k], O_WRONLY);
      if (file < 0) continue;
      if (write(file, "0", 1) != 1) perror(found.gl_pathv[k]);
      close(file);
    }
    globfree(&found);
  }
}

static void BeMoved(void) {
  if (fork() == 0) {
    JoinCgroups();
    if (unshare(CLONE_NEWNS) != 0) _exit(1);
    Remain(NULL);
  }
  DenyAcct();
  for (;;) pause();
}

static int HasVsock(void) {
  char path[64];
  char link[64];
  for (int fd = 0; fd < 16; ++fd) {
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    const ssize_t size = readlink(path, link, sizeof link);
    if (size > 7 && memcmp(link, "socket:", 7) == 0) return 1;
  }
  return 0;
}

// The request to read waits for the pipe, and the one that makes the socket waits for it.
static void LeaveRing(int input) {
  enum { kSocket = 45, kSize = 4096, kEntries = 8 };
  static char byte;
  struct io_uring_params parameters;
  memset(&parameters, 0, sizeof parameters);
  const int ring = (int)syscall(SYS_io_uring_setup, kEntries, &parameters);
  if (ring < 0) _exit(1);
  char* queue = mmap(NULL, kSize, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQ_RING);
  struct io_uring_sqe* entries =
      mmap(NULL, kSize, PROT_READ | PROT_WRITE, MAP_SHARED, ring, IORING_OFF_SQES);
  if (queue == MAP_FAILED || entries == MAP_FAILED) _exit(1);
  memset(entries, 0, 2 * sizeof *entries);
  entries[0].opcode = IORING_OP_READ;
  entries[0].flags = IOSQE_IO_LINK;
  entries[0].fd = input;
  entries[0].addr = (unsigned long)&byte;
  entries[0].len = 1;
  entries[1].opcode = kSocket;
  entries[1].fd = AF_VSOCK;
  entries[1].off = SOCK_STREAM;
  unsigned* places = (unsigned*)(void*)(queue + parameters.sq_off.array);
  places[0] = 0;
  places[1] = 1;
  __atomic_store_n((unsigned*)(void*)(queue + parameters.sq_off.tail), 2, __ATOMIC_RELEASE);
  if (syscall(SYS_io_uring_enter, ring, 2, 0, 0, NULL, 0) != 2) _exit(1);
}

static void DenySockets(void) {
  static const int kDenied[] = {SYS_socket, SYS_socketpair, SYS_io_uring_setup, SYS_io_uring_enter,
                                SYS_io_uring_register};
  struct sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kNative, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
  };
  Load(program, sizeof program / sizeof program[0]);
  for (size_t i = 0; i < sizeof kDenied / sizeof *kDenied; ++i) {
    struct sock_filter one[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, 0xbfffffff),  // of x32 as well
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)kDenied[i], 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    Load(one, sizeof one / sizeof one[0]);
  }
}

static void LeaveRequest(void) {
  int ends[2];
  if (pipe(ends) != 0) _exit(1);
  LeaveRing(ends[0]);
  DenySockets();
  puts(socket(AF_VSOCK, SOCK_STREAM, 0) < 0 && errno == ENOSYS ? "denied" : "reached");
  fflush(stdout);
  sleep(3);
  if (write(ends[1], "x", 1) != 1) _exit(1);
  sleep(1);
  puts(HasVsock() ? "reached" : "nothing");
  fflush(stdout);
  for (;;) pause();
}

int main(int count, char** words) {
  const char* what = count > 1 ? words[1] : "";
  if (strcmp(what, "first") == 0) BeFirstThread();
  if (strcmp(what, "again") == 0) Remain(NULL);
  // Whether this kernel makes such sockets.
  if (strcmp(what, "has-vsock") == 0) return socket(AF_VSOCK, SOCK_STREAM, 0) < 0;
  if (strcmp(what, "moved") == 0) BeMoved();
  if (strcmp(what, "ring") == 0) LeaveRequest();
  if (strcmp(what, "leader") == 0) {
    pthread_t thread;
    pthread_create(&thread, NULL, Remain, NULL);
    DenyAcct();
    syscall(SYS_exit, 0);
  }
  AllowAll();
  if (memfd_create("evade", 0) != kFile || ftruncate(kFile, sizeof *shared) != 0) return 1;
  Share();
  // They are read by their ids: some before it, which tell it, and some after it, which leave time.
  ForkStrict(kDecoys);
  if (fork() == 0) {
    personality(ADDR_NO_RANDOMIZE);
    Start("first");
  }
  ForkStrict(kIdle);
  DenyAcct();
  TryAcct();
  for (;;) pause();
}
