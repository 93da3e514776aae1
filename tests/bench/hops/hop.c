// The least that a static C program in a runtime's place can do: become the runtime. With
// -DWITHOUT_LIBC it has no C library either, so that what is left is the kernel's exec.
#ifdef WITHOUT_LIBC
static long system_call(long number, long a, long b, long c) {
  long result;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a), "S"(b), "d"(c)
                   : "rcx", "r11", "memory");
  return result;
}

// The kernel leaves argc, argv and envp on the stack.
__asm__(
    ".globl _start\n"
    "_start:\n"
    "  mov %rsp, %rdi\n"
    "  and $-16, %rsp\n"
    "  call become\n");

__attribute__((used)) void become(long *stack) {
  char **argv = (char **)(stack + 1);
  char **envp = argv + stack[0] + 1;
  system_call(59 /* execve */, (long)LOWER_RUNTIME, (long)argv, (long)envp);
  system_call(60 /* exit */, 127, 0, 0);
}
#else
#include <unistd.h>

int main(int argc, char **argv, char **envp) {
  (void)argc;
  execve(LOWER_RUNTIME, argv, envp);
  return 127;
}
#endif
