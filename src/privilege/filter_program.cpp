#include "runclad/privilege/filter_program.hpp"

#include <array>
#include <cstddef>
#include <cstring>
#include <optional>

namespace runclad::privilege {
namespace {

constexpr std::uint32_t kRefused = SECCOMP_RET_KILL_PROCESS;

struct Machine {
  std::uint32_t a = 0;
  std::uint32_t x = 0;
  std::array<std::uint32_t, BPF_MEMWORDS> memory{};
};

// No value: the kernel's loader would have refused the place.
std::optional<std::uint32_t> Word(const seccomp_data& call, std::uint32_t offset) {
  if (offset % sizeof(std::uint32_t) != 0 || offset >= sizeof call) return std::nullopt;
  std::array<std::uint32_t, sizeof call / sizeof(std::uint32_t)> words{};
  std::memcpy(words.data(), &call, sizeof call);
  return words.at(offset / sizeof(std::uint32_t));
}

// No value: the instruction is unknown. A division by zero ends the program with 0, which kills.
std::optional<std::uint32_t> Calculated(std::uint16_t operation, std::uint32_t a,
                                        std::uint32_t operand) {
  constexpr std::uint32_t kBits = 32;
  switch (operation) {
    case BPF_ADD:
      return a + operand;
    case BPF_SUB:
      return a - operand;
    case BPF_MUL:
      return a * operand;
    case BPF_DIV:
      return operand == 0 ? std::nullopt : std::optional(a / operand);
    case BPF_AND:
      return a & operand;
    case BPF_OR:
      return a | operand;
    case BPF_XOR:
      return a ^ operand;
    case BPF_LSH:
      return operand < kBits ? a << operand : 0;
    case BPF_RSH:
      return operand < kBits ? a >> operand : 0;
    default:
      return std::nullopt;
  }
}

bool Holds(std::uint16_t comparison, std::uint32_t a, std::uint32_t operand) {
  switch (comparison) {
    case BPF_JEQ:
      return a == operand;
    case BPF_JGT:
      return a > operand;
    case BPF_JGE:
      return a >= operand;
    default:
      return (a & operand) != 0;
  }
}

// Loads and stores; false: the kernel would not have loaded the program.
bool Move(const sock_filter& instruction, const seccomp_data& call, Machine& machine) {
  const bool has_word = instruction.k < machine.memory.size();
  switch (instruction.code) {
    case BPF_LD | BPF_W | BPF_ABS: {
      const auto word = Word(call, instruction.k);
      machine.a = word.value_or(0);
      return word.has_value();
    }
    case BPF_LD | BPF_W | BPF_LEN:
      machine.a = sizeof call;
      return true;
    case BPF_LDX | BPF_W | BPF_LEN:
      machine.x = sizeof call;
      return true;
    case BPF_LD | BPF_IMM:
      machine.a = instruction.k;
      return true;
    case BPF_LDX | BPF_IMM:
      machine.x = instruction.k;
      return true;
    case BPF_LD | BPF_MEM:
      if (has_word) machine.a = machine.memory.at(instruction.k);
      return has_word;
    case BPF_LDX | BPF_MEM:
      if (has_word) machine.x = machine.memory.at(instruction.k);
      return has_word;
    case BPF_ST:
      if (has_word) machine.memory.at(instruction.k) = machine.a;
      return has_word;
    case BPF_STX:
      if (has_word) machine.memory.at(instruction.k) = machine.x;
      return has_word;
    case BPF_MISC | BPF_TAX:
      machine.x = machine.a;
      return true;
    case BPF_MISC | BPF_TXA:
      machine.a = machine.x;
      return true;
    default:
      return false;
  }
}

// Where the accumulator's value comes from: a word of the call, some bits of it.
class Origin {
 public:
  void Follow(const sock_filter& instruction) {
    switch (BPF_CLASS(instruction.code)) {
      case BPF_LD:
        word_ = kNone;
        mask_ = ~std::uint32_t{0};
        if (instruction.code == (BPF_LD | BPF_W | BPF_ABS)) {
          word_ = instruction.k / sizeof(std::uint32_t);
        }
        break;
      case BPF_ALU:
        if (instruction.code == (BPF_ALU | BPF_AND | BPF_K)) {
          mask_ &= instruction.k;
        } else {
          word_ = kNone;
        }
        break;
      case BPF_MISC:
        if (BPF_MISCOP(instruction.code) == BPF_TXA) word_ = kNone;
        break;
      default:
        break;
    }
  }

  // Of a jump or a return.
  void Note(const sock_filter& instruction, Comparisons& asked) const {
    if (BPF_CLASS(instruction.code) == BPF_RET) {
      if (BPF_RVAL(instruction.code) == BPF_A) asked.are_complete = false;
    } else if (BPF_OP(instruction.code) != BPF_JA) {
      NoteJump(instruction, asked);
    }
  }

 private:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  void NoteJump(const sock_filter& jump, Comparisons& asked) const {
    // The program chooses the place that it makes a call from.
    constexpr std::size_t kPlace =
        offsetof(seccomp_data, instruction_pointer) / sizeof(std::uint32_t);
    if (word_ == kNone || BPF_SRC(jump.code) == BPF_X || word_ == kPlace || word_ == kPlace + 1) {
      asked.are_complete = false;
      return;
    }
    const bool is_of_bits = BPF_OP(jump.code) == BPF_JSET;
    asked.all.push_back({word_, is_of_bits ? mask_ & jump.k : mask_, jump.k});
  }

  std::uint32_t word_ = kNone;
  std::uint32_t mask_ = ~std::uint32_t{0};
};

// `asked` may be null: most answers are wanted for themselves.
std::uint32_t Run(std::span<const sock_filter> program, const seccomp_data& call,
                  Comparisons* asked) {
  Machine machine;
  Origin origin;
  for (std::size_t at = 0; at < program.size(); ++at) {
    const sock_filter& instruction = program[at];
    const bool is_by_x = BPF_SRC(instruction.code) == BPF_X;
    const std::uint32_t operand = is_by_x ? machine.x : instruction.k;
    if (asked != nullptr) {
      const auto kind = BPF_CLASS(instruction.code);
      if (kind == BPF_JMP || kind == BPF_RET) origin.Note(instruction, *asked);
      origin.Follow(instruction);
    }
    switch (BPF_CLASS(instruction.code)) {
      case BPF_RET:
        return BPF_RVAL(instruction.code) == BPF_A ? machine.a : instruction.k;
      case BPF_JMP:
        if (BPF_OP(instruction.code) == BPF_JA) {
          at += instruction.k;
        } else {
          at +=
              Holds(BPF_OP(instruction.code), machine.a, operand) ? instruction.jt : instruction.jf;
        }
        break;
      case BPF_ALU: {
        const auto result = BPF_OP(instruction.code) == BPF_NEG
                                ? std::optional(0U - machine.a)
                                : Calculated(BPF_OP(instruction.code), machine.a, operand);
        if (!result) {
          // By another divisor, the program would go on.
          if (asked != nullptr) asked->are_complete = false;
          return SECCOMP_RET_KILL_THREAD;
        }
        machine.a = *result;
        break;
      }
      default:
        if (!Move(instruction, call, machine)) return kRefused;
    }
  }
  return kRefused;
}

}  // namespace

std::uint32_t RunFilter(std::span<const sock_filter> program, const seccomp_data& call) {
  return Run(program, call, nullptr);
}

std::uint32_t RunFilter(std::span<const sock_filter> program, const seccomp_data& call,
                        Comparisons& asked) {
  return Run(program, call, &asked);
}

std::uint32_t RunFilters(std::span<const FilterProgram> programs, const seccomp_data& call) {
  std::uint32_t strictest = SECCOMP_RET_ALLOW;
  // As the kernel compares: signed, so that killing the process comes before everything else.
  const auto rank = [](std::uint32_t answer) {
    return static_cast<std::int32_t>(answer & SECCOMP_RET_ACTION_FULL);
  };
  for (const FilterProgram& program : programs) {
    const std::uint32_t answer = RunFilter(program, call);
    if (rank(answer) < rank(strictest)) strictest = answer;
  }
  return strictest;
}

}  // namespace runclad::privilege
