// What a process inside a container can reach, asked of the kernel itself. Linked statically and
// put into the test image as /bin/probe; also as /bin/setuid-probe with the set-user-ID bit.
// Prints one word: what happened, or the name of the error.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

static int Report(long result, const char *reached) {
  if (result >= 0) {
    puts(reached);
    return 0;
  }
  puts(strerrorname_np(errno));
  return 1;
}

// A call by its i386 number, from a 64-bit program. Pointers must lie below 4 GiB: see Low().
static long Call32(int number, unsigned long first, unsigned long second) {
  int result;
  __asm__ volatile("int $0x80"
                   : "=a"(result)
                   : "0"(number), "b"(first), "c"(second)
                   : "memory", "r8", "r9", "r10", "r11");
  if (result >= 0) return result;
  errno = -result;
  return -1;
}

static void *Low(const void *bytes, size_t size) {
  void *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1,
                   0);
  if (low == MAP_FAILED) _exit(3);
  return memcpy(low, bytes, size);
}

// socket(2) through the 32-bit socketcall of a 64-bit program: filters that compare the arguments
// of `socket` never see it.
static long SocketCall32(unsigned family, unsigned type) {
  const unsigned arguments[] = {family, type, 0};
  return Call32(102, 1, (unsigned long)Low(arguments, sizeof arguments));
}

// Asks for a socket of each address family, by each way into the kernel, and prints those for which
// the answer is not EPERM or ENOSYS, which are a filter's: the kernel itself was asked.
static int SocketFamilies(void) {
  enum { kLast = 64, kX32 = 0x40000000 };
  int pair[2];
  for (int family = 0; family <= kLast; ++family) {
    const unsigned arguments[] = {(unsigned)family, SOCK_DGRAM, 0, 0};
    const struct {
      const char *name;
      long result;
      int error;
    } ways[] = {
        {"socket", socket(family, SOCK_DGRAM, 0), errno},
        {"socketpair", socketpair(family, SOCK_DGRAM, 0, pair), errno},
        {"x32", syscall(kX32 | SYS_socket, family, SOCK_DGRAM, 0), errno},
        {"socket32", Call32(359, (unsigned long)family, SOCK_DGRAM), errno},
        {"socketcall", SocketCall32((unsigned)family, SOCK_DGRAM), errno},
        {"socketcall-pair", Call32(102, 8, (unsigned long)Low(arguments, sizeof arguments)), errno},
    };
    for (size_t i = 0; i < sizeof ways / sizeof *ways; ++i) {
      const int is_filtered =
          ways[i].result < 0 && (ways[i].error == EPERM || ways[i].error == ENOSYS);
      if (!is_filtered) printf("%s %d\n", ways[i].name, family);
    }
    closefrom(3);
  }
  return 0;
}

static long IoUring(void) {
  char parameters[120] = {0};
  return syscall(SYS_io_uring_setup, 1, parameters);
}

static long OpenByHandle(void) {
  struct {
    struct file_handle head;
    unsigned char bytes[MAX_HANDLE_SZ];
  } handle = {.head = {.handle_bytes = MAX_HANDLE_SZ}};
  int mount;
  if (name_to_handle_at(AT_FDCWD, "/etc/hostname", &handle.head, &mount, 0) != 0) return -1;
  const int directory = open("/etc/hostname", O_RDONLY | O_CLOEXEC);
  if (directory < 0) return -1;
  return open_by_handle_at(directory, &handle.head, O_RDONLY);
}

// Runs a program that no file holds: a copy of itself in memory.
static int RunFromMemory(void) {
  char bytes[65536];
  int self = open("/proc/self/exe", O_RDONLY);
  int memory = memfd_create("copy", MFD_CLOEXEC);
  if (self < 0 || memory < 0) return Report(-1, "");
  ssize_t length;
  while ((length = read(self, bytes, sizeof bytes)) > 0) {
    if (write(memory, bytes, (size_t)length) != length) return Report(-1, "");
  }
  char *const argv[] = {"probe", "ran", NULL};
  fexecve(memory, argv, environ);
  return Report(-1, "");
}

// Asks an SSH agent for its keys, and prints how many it has.
static int AskAgent(const char *path) {
  const unsigned char question[] = {0, 0, 0, 1, 11};
  unsigned char answer[9];
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
  const int agent = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(agent, (struct sockaddr *)&address, sizeof address) != 0 ||
      write(agent, question, sizeof question) != sizeof question ||
      recv(agent, answer, sizeof answer, MSG_WAITALL) != sizeof answer) {
    return Report(-1, "");
  }
  printf("%d\n", answer[4] == 12 ? answer[8] : -1);
  return 0;
}

int main(int argc, char **argv) {
  const char *name = strrchr(argv[0], '/') != NULL ? strrchr(argv[0], '/') + 1 : argv[0];
  const char *what = argc > 1 ? argv[1] : name;
  if (strcmp(what, "setuid-probe") == 0) {
    printf("%d\n", (int)geteuid());
    return 0;
  }
  if (strcmp(what, "ran") == 0) {
    puts("ran");
    return 0;
  }
  if (strcmp(what, "memfd") == 0) return RunFromMemory();
  if (strcmp(what, "unshare-user") == 0) return Report(unshare(CLONE_NEWUSER), "unshared");
  if (strcmp(what, "vsock") == 0) return Report(socket(AF_VSOCK, SOCK_STREAM, 0), "reached");
  if (strcmp(what, "vsock32") == 0) return Report(SocketCall32(AF_VSOCK, SOCK_STREAM), "reached");
  if (strcmp(what, "families") == 0) return SocketFamilies();
  if (strcmp(what, "socket") == 0 && argc > 2) {
    return Report(socket(atoi(argv[2]), SOCK_DGRAM, 0), "reached");
  }
  if (strcmp(what, "call") == 0 && argc > 2) {
    unsigned long arguments[6] = {0};
    for (int i = 3; i < argc && i < 9; ++i) arguments[i - 3] = strtoul(argv[i], NULL, 0);
    return Report(syscall(atol(argv[2]), arguments[0], arguments[1], arguments[2], arguments[3],
                          arguments[4], arguments[5]),
                  "reached");
  }
  if (strcmp(what, "call32") == 0 && argc > 2) {
    const char *first = argc > 3 ? argv[3] : "0";
    const char *second = argc > 4 ? argv[4] : "0";
    return Report(Call32(atoi(argv[2]), strtoul(first, NULL, 0), strtoul(second, NULL, 0)), "reached");
  }
  if (strcmp(what, "socketcall32") == 0 && argc > 2) {
    const unsigned arguments[6] = {0};
    return Report(Call32(102, strtoul(argv[2], NULL, 0),
                         (unsigned long)Low(arguments, sizeof arguments)),
                  "reached");
  }
  if (strcmp(what, "clone3") == 0) return Report(syscall(SYS_clone3, NULL, 0), "reached");
  if (strcmp(what, "keyctl") == 0) return Report(syscall(SYS_keyctl, 0, -3, 1), "reached");
  if (strcmp(what, "bpf") == 0) return Report(syscall(SYS_bpf, -1, NULL, 0), "reached");
  if (strcmp(what, "mount") == 0) return Report(syscall(SYS_fsopen, "tmpfs", 0), "reached");
  if (strcmp(what, "getpid32") == 0) return Report(Call32(20, 0, 0), "reached");
  if (strcmp(what, "userfaultfd") == 0) return Report(syscall(SYS_userfaultfd, 1), "reached");
  if (strcmp(what, "io-uring") == 0) return Report(IoUring(), "reached");
  if (strcmp(what, "alg") == 0) return Report(socket(AF_ALG, SOCK_SEQPACKET, 0), "reached");
  if (strcmp(what, "packet") == 0) return Report(socket(AF_PACKET, SOCK_RAW, 0), "reached");
  if (strcmp(what, "handle") == 0) return Report(OpenByHandle(), "reached");
  if (strcmp(what, "trace-1") == 0) return Report(ptrace(PTRACE_SEIZE, 1, 0, 0), "reached");
  const char *file = argc > 2 ? argv[2] : "";
  if (strcmp(what, "agent") == 0) return AskAgent(file);
  if (strcmp(what, "create-setuid") == 0) {
    return Report(open(file, O_WRONLY | O_CREAT | O_CLOEXEC, 04755), "created");
  }
  if (strcmp(what, "chmod32-setuid") == 0) {
    return Report(Call32(15, (unsigned long)Low(file, strlen(file) + 1), 04755), "changed");
  }
  fprintf(stderr, "probe: unknown question %s\n", what);
  return 2;
}
