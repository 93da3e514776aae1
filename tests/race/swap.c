// Exchanges two names in a directory for ever: swap DIRECTORY NAME OTHER MICROSECONDS. What is
// mounted on them goes along: a rename in another mount namespace does not ask for it.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <signal.h>
#include <unistd.h>

int main(int argc, char** argv) {
  if (argc != 5 || chdir(argv[1]) != 0) return 2;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const useconds_t pause = (useconds_t)atoi(argv[4]);
  while (renameat2(AT_FDCWD, argv[2], AT_FDCWD, argv[3], RENAME_EXCHANGE) == 0) usleep(pause);
  perror("renameat2");
  return 1;
}
