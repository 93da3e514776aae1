// A service with known needs, for runcladctl learn: `needs CHOWN SETUID …` does something that each
// of these capabilities is needed for, ends with an error if one fails, and then listens on port
// 8080 until SIGTERM. Linked statically. Files are made in /tmp; /tmp/theirs and /tmp/shared are
// the image's (see needs.sh).
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <net/if.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// In a child, whose users, root and limits end with it.
static int InChild(int (*act)(void)) {
  const pid_t child = fork();
  if (child == 0) _exit(act() == 0 ? 0 : errno);
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) return -1;
  errno = WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
  return errno == 0 ? 0 : -1;
}

static int NewFile(const char* path, mode_t mode) {
  unlink(path);
  const int file = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, mode);
  if (file < 0 || fchmod(file, mode) != 0) return -1;
  return file;
}

static int Listen(int port) {
  const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  if (server < 0 || bind(server, (struct sockaddr*)&address, sizeof(address)) != 0) return -1;
  return listen(server, 1);
}

static int SetGid(void) { return setresgid(7, 7, 7); }
static int SetUid(void) { return setresuid(7, 7, 7); }
static int DropBounding(void) { return prctl(PR_CAPBSET_DROP, CAP_SYS_BOOT, 0, 0, 0); }
static int Chroot(void) { return chroot("/tmp"); }
static int Nice(void) { return setpriority(PRIO_PROCESS, 0, -5); }
static int LockMemory(void) {
  static char page[4096];
  const struct rlimit none = {0, 0};
  if (setrlimit(RLIMIT_MEMLOCK, &none) != 0) return -1;
  return mlock(page, sizeof(page));
}

static int Chown(void) {
  const int file = NewFile("/tmp/chown", 0600);
  return file < 0 ? -1 : fchown(file, 7, 7);
}
static int WriteClosed(void) {
  if (NewFile("/tmp/closed", 0) < 0) return -1;
  return open("/tmp/closed", O_RDWR | O_CLOEXEC);
}
static int ReadClosed(void) {
  if (NewFile("/tmp/unread", 0) < 0) return -1;
  return open("/tmp/unread", O_RDONLY | O_CLOEXEC);
}
static int ChmodTheirs(void) { return chmod("/tmp/theirs", 0644); }
// A file of a group that this process is not in.
static int SetGidBit(void) {
  struct stat status;
  const int file = NewFile("/tmp/shared", 0644);
  if (file < 0 || fchown(file, (uid_t)-1, 1234) != 0 || fchmod(file, 02755) != 0) return -1;
  if (fstat(file, &status) != 0) return -1;
  errno = EPERM;  // the kernel drops the bit and says nothing
  return (status.st_mode & S_ISGID) != 0 ? 0 : -1;
}
static int KillOther(void) {
  int ready[2];
  char byte = 0;
  if (pipe2(ready, O_CLOEXEC) != 0) return -1;
  const pid_t child = fork();
  if (child == 0) {
    if (setresuid(7, 7, 7) != 0 || write(ready[1], &byte, 1) != 1) _exit(1);
    pause();
    _exit(1);
  }
  close(ready[1]);
  if (child < 0 || read(ready[0], &byte, 1) != 1) {
    errno = EPERM;
    return -1;
  }
  const int result = kill(child, SIGUSR1);
  const int fault = errno;
  if (result == 0) waitpid(child, NULL, 0);
  errno = fault;
  return result;
}
static int BindLow(void) { return Listen(80); }
static int RawSocket(void) { return socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP); }
static int MakeDevice(void) {
  unlink("/tmp/device");
  return mknod("/tmp/device", S_IFCHR | 0600, makedev(1, 3));
}
static int SetFileCapability(void) {
  if (NewFile("/tmp/capable", 0755) < 0) return -1;
  const struct vfs_cap_data none = {.magic_etc = VFS_CAP_REVISION_2};
  return setxattr("/tmp/capable", "security.capability", &none, XATTR_CAPS_SZ_2, 0);
}
static int ChangeInterface(void) {
  struct ifreq request = {.ifr_name = "lo"};
  const int any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (any < 0 || ioctl(any, SIOCGIFFLAGS, &request) != 0) return -1;
  return ioctl(any, SIOCSIFFLAGS, &request);
}

static const struct {
  const char* name;
  int (*act)(void);
  int is_in_child;
} kNeeds[] = {
    {"CHOWN", Chown, 0},
    {"DAC_OVERRIDE", WriteClosed, 0},
    {"DAC_READ_SEARCH", ReadClosed, 0},
    {"FOWNER", ChmodTheirs, 0},
    {"FSETID", SetGidBit, 0},  // and CHOWN, for the group
    {"KILL", KillOther, 0},    // and SETUID, for the other user's process
    {"SETGID", SetGid, 1},
    {"SETUID", SetUid, 1},
    {"SETPCAP", DropBounding, 1},
    {"NET_BIND_SERVICE", BindLow, 0},
    {"NET_ADMIN", ChangeInterface, 0},
    {"NET_RAW", RawSocket, 0},
    {"IPC_LOCK", LockMemory, 1},
    {"SYS_CHROOT", Chroot, 1},
    {"SYS_NICE", Nice, 1},
    {"MKNOD", MakeDevice, 0},
    {"SETFCAP", SetFileCapability, 0},
};

static void End(int signal) {
  (void)signal;
  _exit(0);
}

int main(int argc, char** argv) {
  signal(SIGTERM, End);
  for (int word = 1; word < argc; ++word) {
    size_t at = 0;
    const size_t count = sizeof(kNeeds) / sizeof(kNeeds[0]);
    while (at < count && strcmp(kNeeds[at].name, argv[word]) != 0) ++at;
    if (at == count) return 2;
    const int result = kNeeds[at].is_in_child ? InChild(kNeeds[at].act) : kNeeds[at].act();
    if (result >= 0) continue;
    fprintf(stderr, "%s: %s\n", argv[word], strerror(errno));
    return 1;
  }
  if (Listen(8080) != 0) return 3;
  while (1) pause();
}
