// A lower runtime that runs nothing: writes to the file that STANDIN names its arguments, one a
// line, the text of the file that --process names, what it inherited of signals ("SigIgn: …"), and
// the descriptors that are open ("fd N"). Built statically, so that it starts under any limit.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void Copy(const char *path, FILE *out) {
  char line[4096];
  FILE *in = fopen(path, "re");
  while (in && fgets(line, sizeof line, in)) fputs(line, out);
  if (in) fclose(in);
  fputc('\n', out);
}

int main(int argc, char **argv) {
  char line[4096];
  const char *path = getenv("STANDIN");
  // Looked at before a file of our own is open.
  int is_open[16];
  for (int fd = 0; fd < 16; ++fd) is_open[fd] = fcntl(fd, F_GETFD) >= 0;
  FILE *out = path ? fopen(path, "we") : NULL;
  if (!out) return 9;
  FILE *status = fopen("/proc/self/status", "re");
  for (int i = 1; i < argc; ++i) {
    fprintf(out, "%s\n", argv[i]);
    if (strncmp(argv[i], "--process=", 10) == 0) Copy(argv[i] + 10, out);
  }
  while (status && fgets(line, sizeof line, status)) {
    if (strncmp(line, "Sig", 3) == 0) fputs(line, out);
  }
  for (int fd = 0; fd < 16; ++fd) {
    if (is_open[fd]) fprintf(out, "fd %d\n", fd);
  }
  // A limit on sizes may have left it empty; that it is there says enough.
  return 0;
}
