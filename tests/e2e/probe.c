// What a process inside a container can reach, asked of the kernel itself. Linked statically and
// put into the test image as /bin/probe; also as /bin/setuid-probe with the set-user-ID bit.
// Prints one word: what happened, or the name of the error.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int Report(long result, const char *reached) {
  if (result >= 0) {
    puts(reached);
    return 0;
  }
  puts(strerrorname_np(errno));
  return 1;
}

// socket(2) through the 32-bit socketcall of a 64-bit program: filters that compare the arguments
// of `socket` never see it.
static long SocketCall32(unsigned family, unsigned type) {
  unsigned *arguments = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  if (arguments == MAP_FAILED) return -1;
  arguments[0] = family;
  arguments[1] = type;
  arguments[2] = 0;
  int result;
  __asm__ volatile("int $0x80"
                   : "=a"(result)
                   : "0"(102), "b"(1), "c"(arguments)
                   : "memory", "r8", "r9", "r10", "r11");
  if (result >= 0) return result;
  errno = -result;
  return -1;
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
  if (strcmp(what, "clone3") == 0) return Report(syscall(SYS_clone3, NULL, 0), "reached");
  if (strcmp(what, "keyctl") == 0) return Report(syscall(SYS_keyctl, 0, -3, 1), "reached");
  if (strcmp(what, "bpf") == 0) return Report(syscall(SYS_bpf, -1, NULL, 0), "reached");
  if (strcmp(what, "mount") == 0) return Report(syscall(SYS_fsopen, "tmpfs", 0), "reached");
  fprintf(stderr, "probe: unknown question %s\n", what);
  return 2;
}
