/* Runs a program and lets one of its system calls fail, or be its last:
 *
 *   inject NUMBER PLACE kill|ERRNO [ZERO,…] COMMAND…
 *
 * The PLACE-th call of the number NUMBER (both decimal) gets SIGKILL or returns the error; the first execve is the
 * one that starts COMMAND. The calls of the numbers ZERO do nothing and return 0. Counts only what the program itself
 * calls, not its children. Ends as the program does; a signal as 128 and its number.
 *
 * strace(1) does the same, and stops the program at every call, which takes ten times as long on a busy machine. Here
 * a filter stops it at those of this number alone. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ERROR = 125, MAX_ZERO = 8 };

static void die(const char *what) {
  fprintf(stderr, "inject: %s: %s\n", what, strerror(errno));
  exit(ERROR);
}

static void load_filter(unsigned number, const unsigned *zero, unsigned zeros) {
  struct sock_filter code[2 * MAX_ZERO + 4];
  unsigned short length = 0;
  code[length++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
  for (unsigned i = 0; i < zeros; ++i) {
    code[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, zero[i], 0, 1);
    code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO);
  }
  code[length++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1);
  code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
  code[length++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  const struct sock_fprog program = {length, code};
  /* Without no_new_privs, which the program would see. */
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0) die("seccomp");
}

/* The program is at the call that is to fail. */
static void fail(pid_t pid, const char *how) {
  struct user_regs_struct registers;
  if (strcmp(how, "kill") == 0) {
    if (kill(pid, SIGKILL) != 0) die("kill");
    return;
  }
  if (ptrace(PTRACE_GETREGS, pid, NULL, &registers) != 0) die("PTRACE_GETREGS");
  registers.orig_rax = (unsigned long long)-1;
  registers.rax = (unsigned long long)-atoll(how);
  if (ptrace(PTRACE_SETREGS, pid, NULL, &registers) != 0) die("PTRACE_SETREGS");
}

int main(int count, char **words) {
  if (count < 6) {
    fprintf(stderr, "usage: inject NUMBER PLACE kill|ERRNO ZERO,… COMMAND…\n");
    return ERROR;
  }
  const unsigned number = (unsigned)strtoul(words[1], NULL, 10);
  unsigned long left = strtoul(words[2], NULL, 10);
  unsigned zero[MAX_ZERO], zeros = 0;
  for (char *word = strtok(words[4], ","); word != NULL && zeros < MAX_ZERO; word = strtok(NULL, ",")) {
    zero[zeros++] = (unsigned)strtoul(word, NULL, 10);
  }
  const pid_t child = fork();
  if (child < 0) die("fork");
  if (child == 0) {
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0 || raise(SIGSTOP) != 0) die("PTRACE_TRACEME");
    load_filter(number, zero, zeros);
    execv(words[5], words + 5);
    die(words[5]);
  }
  int status;
  if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) die("waitpid");
  /* Its children have the filter as well, and a filter without a tracer makes the call fail. */
  if (ptrace(PTRACE_SETOPTIONS, child, NULL,
             PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
                 PTRACE_O_EXITKILL) != 0 ||
      ptrace(PTRACE_CONT, child, NULL, 0) != 0) {
    die("PTRACE_SETOPTIONS");
  }
  for (;;) {
    const pid_t pid = waitpid(-1, &status, __WALL);
    if (pid < 0) die("waitpid");
    if (pid == child && WIFEXITED(status)) return WEXITSTATUS(status);
    if (pid == child && WIFSIGNALED(status)) return 128 + WTERMSIG(status);
    if (!WIFSTOPPED(status)) continue;
    const int event = status >> 16;
    if (event == PTRACE_EVENT_SECCOMP && pid == child && left > 0 && --left == 0) fail(pid, words[3]);
    int signal = event != 0 || WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
    /* How a child that is traced from its start stops first. */
    if (signal == SIGSTOP) signal = 0;
    ptrace(PTRACE_CONT, pid, NULL, signal);
  }
}
