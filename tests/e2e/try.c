// The first process of a container that is asked what it can do, and tries it. Reads a question
// from a line of standard input, as `runcladctl can` takes it, and prints "yes" or "no ERROR".
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int Is(const char* word, const char* wanted) {
  return word != NULL && strcmp(word, wanted) == 0;
}

static int is_in_own;  // in a user namespace that was made to try

static int HasEffective(int capability) {
  struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2];
  memset(data, 0, sizeof data);
  if (syscall(SYS_capget, &head, data) != 0) return 0;
  return (data[capability / 32].effective >> (capability % 32) & 1) != 0;
}

// By itself, or in a program that it starts.
static int HasCapability(int capability) {
  if (HasEffective(capability)) return 0;
  pid_t child = fork();
  if (child == 0) {
    char number[16];
    snprintf(number, sizeof number, "%d", capability);
    execl("/bin/try", "try", "has", number, NULL);
    _exit(1);
  }
  int status = 1;
  waitpid(child, &status, 0);
  errno = EPERM;
  return status == 0 ? 0 : -1;
}

static int SocketCall32(int family, int type) {
#ifdef __x86_64__
  unsigned* arguments =
      mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  if (arguments == MAP_FAILED) return -1;
  arguments[0] = (unsigned)family;
  arguments[1] = (unsigned)type;
  arguments[2] = 0;
  int result;
  __asm__ volatile("int $0x80"
                   : "=a"(result)
                   : "0"(102), "b"(1UL), "c"((unsigned long)arguments)
                   : "memory", "r8", "r9", "r10", "r11");
  if (result >= 0) return result;
  errno = -result;
#else
  errno = ENOSYS;
#endif
  return -1;
}

static int IsDenied(int error) { return error == EPERM || error == ENOSYS || error == EACCES; }

static int Socket(int family, int type) {
  static const int kTypes[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_RAW};
  int is_reached = 0;
  for (size_t i = 0; i < sizeof kTypes / sizeof *kTypes; ++i) {
    if (type >= 0 && type != kTypes[i]) continue;
    // Of the raw ones of IP, the protocol 0 is refused before the capability is asked for.
    const int is_raw_ip = kTypes[i] == SOCK_RAW && family == AF_INET;
    const int protocol = is_raw_ip ? IPPROTO_ICMP : 0;
    if (socket(family, kTypes[i], protocol) >= 0 || !IsDenied(errno)) is_reached = 1;
    if (is_reached || is_raw_ip) continue;
    if (SocketCall32(family, kTypes[i]) >= 0 || !IsDenied(errno)) is_reached = 1;
  }
  errno = EPERM;
  return is_reached ? 0 : -1;
}

// Yes, too, where the kernel itself was asked and only the arguments are wrong.
static int Reached(long result) { return result >= 0 || !IsDenied(errno) ? 0 : -1; }

static int Syscall(const char* name, unsigned long first) {
  if (Is(name, "clone3")) return Reached(syscall(SYS_clone3, NULL, 0));
  if (Is(name, "unshare")) return Reached(syscall(SYS_unshare, first));
  if (Is(name, "keyctl")) return Reached(syscall(SYS_keyctl, -1));
  if (Is(name, "io_uring_setup")) return Reached(syscall(SYS_io_uring_setup, 1, NULL));
  if (Is(name, "userfaultfd")) return Reached(syscall(SYS_userfaultfd, 1 | 1 << 30));
  if (Is(name, "fsopen")) return Reached(syscall(SYS_fsopen, "none", -1));
  if (Is(name, "sethostname")) return Reached(syscall(SYS_sethostname, NULL, -1));
  if (Is(name, "chroot")) return Reached(syscall(SYS_chroot, "/"));
  if (Is(name, "settimeofday")) return Reached(syscall(SYS_settimeofday, NULL, NULL));
  if (Is(name, "acct")) return Reached(syscall(SYS_acct, NULL));
  if (Is(name, "reboot")) return Reached(syscall(SYS_reboot, 0, 0, 0, NULL));
  if (Is(name, "pivot_root")) return Reached(syscall(SYS_pivot_root, "/none", "/none"));
  if (Is(name, "init_module")) return Reached(syscall(SYS_init_module, NULL, 0, ""));
  if (Is(name, "personality")) return Reached(syscall(SYS_personality, first));
  if (Is(name, "ptrace")) return Reached(syscall(SYS_ptrace, -1, 0, NULL, NULL));
  if (Is(name, "kcmp")) return Reached(syscall(SYS_kcmp, getpid(), getpid(), 99, 0, 0));
  if (Is(name, "getpid")) return Reached(syscall(SYS_getpid));
  errno = EINVAL;
  return -1;
}

static int IsDirectory(const char* path) {
  struct stat status;
  return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

// As open(2); where that is denied, after it has given the file, if it is its own, all permissions.
static int Open(const char* path, int flags) {
  struct stat status;
  int opened = open(path, flags, 0600);
  if (opened >= 0 || errno != EACCES || stat(path, &status) != 0) return opened;
  if (chmod(path, 0700) != 0) {
    errno = EACCES;
    return -1;
  }
  opened = open(path, flags, 0600);
  chmod(path, status.st_mode & 07777);
  return opened;
}

static int Write(const char* path) {
  if (IsDirectory(path)) {
    char file[4096];
    snprintf(file, sizeof file, "%s/.tried", path);
    const int made = open(file, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (made >= 0) unlink(file);
    return made;
  }
  const int is_new = access(path, F_OK) != 0 && errno == ENOENT;
  const int opened = Open(path, O_WRONLY | O_CREAT | O_NONBLOCK);
  if (opened >= 0 && is_new) unlink(path);
  return opened;
}

static int Execute(const char* path) {
  int is_new = access(path, F_OK) != 0 && errno == ENOENT;
  if (is_new) {
    const int from = open("/bin/try", O_RDONLY);
    const int to = open(path, O_WRONLY | O_CREAT | O_EXCL, 0755);
    if (to < 0) return -1;
    char bytes[65536];
    ssize_t size;
    while ((size = read(from, bytes, sizeof bytes)) > 0) {
      if (write(to, bytes, (size_t)size) != size) return -1;
    }
    close(to);
  }
  struct stat status;
  const int is_changed = access(path, X_OK) != 0 && errno == EACCES && stat(path, &status) == 0 &&
                         chmod(path, 0700) == 0;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return -1;
  const pid_t child = fork();
  if (child == 0) {
    execl(path, "try", "nothing", NULL);
    if (write(ends[1], &errno, sizeof errno) < 0) _exit(2);
    _exit(1);
  }
  close(ends[1]);
  int error = 0;
  const ssize_t got = read(ends[0], &error, sizeof error);
  waitpid(child, NULL, 0);
  if (is_changed) chmod(path, status.st_mode & 07777);
  if (is_new) unlink(path);
  // It was permitted, and the file is not a program.
  if (got == 0 || error == ENOEXEC) return 0;
  errno = error;
  return -1;
}

static int Bind(int type, int port) {
  const int fd = socket(AF_INET, type, 0);
  if (fd < 0) return -1;
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons((unsigned short)port), .sin_addr = {0}};
  return bind(fd, (struct sockaddr*)&address, sizeof address);
}

static int Mount(void) {
  if (syscall(SYS_fsopen, "tmpfs", 0) >= 0) return 0;
  if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return -1;
  return (int)syscall(SYS_fsopen, "tmpfs", 0);
}

static int Try(char** words);

// Whether it succeeds in a user namespace of its own, with namespaces that this one owns.
static int InOwnNamespaces(char** words) {
  const int error = errno;
  int status = 1;
  const pid_t child = fork();
  if (child == 0) {
    is_in_own = 1;
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWPID) != 0)
      _exit(1);
    const pid_t first = fork();
    if (first == 0) _exit(Try(words) < 0);
    waitpid(first, &status, 0);
    _exit(!WIFEXITED(status) || WEXITSTATUS(status) != 0);
  }
  waitpid(child, &status, 0);
  errno = error;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

static int TryOnce(char** words) {
  if (strncmp(words[0], "CAP_", 4) == 0) return HasCapability(atoi(words[1]));
  if (Is(words[0], "socket")) {
    return Socket(atoi(words[1]), words[2] == NULL ? -1 : atoi(words[2]));
  }
  if (Is(words[0], "syscall")) {
    return Syscall(words[1], words[2] == NULL ? 0 : strtoul(words[2], NULL, 0));
  }
  if (Is(words[0], "write")) return Write(words[1]);
  if (Is(words[0], "read")) return Open(words[1], O_RDONLY | O_NONBLOCK);
  if (Is(words[0], "exec")) return Execute(words[1]);
  if (Is(words[0], "bind"))
    return Bind(Is(words[1], "udp") ? SOCK_DGRAM : SOCK_STREAM, atoi(words[2]));
  if (Is(words[0], "mount")) return Mount();
  if (Is(words[0], "userns")) return unshare(CLONE_NEWUSER);
  errno = EINVAL;
  return -1;
}

static int Try(char** words) {
  const int result = TryOnce(words);
  const int is_of_namespaces = Is(words[0], "socket") || Is(words[0], "syscall");
  return result >= 0 || is_in_own || !is_of_namespaces ? result : InOwnNamespaces(words);
}

int main(int argc, char** argv) {
  if (argc > 2 && Is(argv[1], "has")) return HasEffective(atoi(argv[2])) ? 0 : 1;
  if (argc > 1 && Is(argv[1], "nothing")) return 0;
  char line[4096];
  puts("ready");
  fflush(stdout);
  while (fgets(line, sizeof line, stdin) != NULL) {
    char* words[8] = {0};
    size_t count = 0;
    for (char* word = strtok(line, " \n"); word != NULL && count < 7; word = strtok(NULL, " \n")) {
      words[count++] = word;
    }
    if (count == 0) continue;
    // What is tried must not change the process that is asked.
    const pid_t child = fork();
    if (child == 0) {
      const int result = Try(words);
      if (result >= 0) {
        puts("yes");
      } else {
        printf("no %s\n", strerrorname_np(errno));
      }
      fflush(stdout);
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (!WIFEXITED(status)) puts("no killed");
    fflush(stdout);
  }
  return 0;
}
