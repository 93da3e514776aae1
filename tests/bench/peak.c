// Runs a program and writes the most memory that it had at once, in KiB, with that of the program that it becomes, into
// a file: peak FILE PROGRAM ARGUMENT...
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv) {
  if (argc < 3) return 3;
  // Not fork: a copy of this process would count.
  const pid_t pid = vfork();
  if (pid == 0) {
    execv(argv[2], argv + 2);
    _exit(127);
  }
  int status = 0;
  struct rusage usage;
  if (pid < 0 || wait4(pid, &status, 0, &usage) != pid) return 3;
  FILE *file = fopen(argv[1], "w");
  if (file == NULL || fprintf(file, "%ld\n", usage.ru_maxrss) < 0 || fclose(file) != 0) return 3;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
