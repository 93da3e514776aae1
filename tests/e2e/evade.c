// The first process of a container that means to be taken for one that cannot call acct(2):
//
//   evade exec     a thread without the filter is made when others of the container are read, starts a
//                  program as soon as the first thread of its process was read, and goes on under
//                  the id and at the addresses of that one
//   evade leader   the first thread, which has the filter, ends, and another one goes on
//
// "reached" or "denied" is printed for each call: without a capability acct fails with EPERM, and the
// filter's answer is ENOSYS.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { kFile = 3, kDecoys = 4, kIdle = 10 };

static struct Shared {
  volatile int is_reading;  // somebody reads the container
  volatile int was_read;    // and has read the first thread
} *shared;

static void Load(struct sock_filter *program, unsigned short size) {
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

static void Start(const char *what) {
  char *arguments[] = {"evade", (char *)what, NULL};
  execv("/proc/self/exe", arguments);
  _exit(1);
}

static void *StartProgram(void *unused) {
  while (!shared->was_read) usleep(20);
  Start("again");
  return unused;
}

static void *Remain(void *unused) {
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

int main(int count, char **words) {
  const char *what = count > 1 ? words[1] : "";
  if (strcmp(what, "first") == 0) BeFirstThread();
  if (strcmp(what, "again") == 0) Remain(NULL);
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
