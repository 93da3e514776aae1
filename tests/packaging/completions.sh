#!/bin/bash
# In bash, zsh and fish, the completions of runcladctl offer each subcommand and each option that --help
# names. The shells' own completion runs; nothing is installed.
#
#   tests/packaging/completions.sh [BUILD]   (default: build/release)
# shellcheck disable=SC2317  # functions that are called by name
set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/packaging/lib.sh
. tests/packaging/lib.sh
build=$(realpath "${1:-build/release}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin" && ln -s "$build/runcladctl" "$work/bin"
export PATH=$work/bin:$PATH

# What --help says, which another part of the program prints.
subcommands() {  # COMMAND…
  runcladctl "$@" --help | sed -n '/^Subcommands:/,/^$/s/^  \([a-z][a-z-]*\) .*/\1/p'
}
options() {
  runcladctl "$@" --help | sed -n '/^Options:/,/^$/s/^  \(-[a-z-][^ ]*\).*/\1/p' | tr , '\n'
}

# offers SHELL WORD…: what is offered for the last word, one a line.
offers_bash() {
  bash -c '
    . "$1"
    shift
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    _runcladctl
    printf "%s\n" "${COMPREPLY[@]}"' bash "$build/completions/runcladctl.bash" "$@"
}
offers_fish() {
  # shellcheck disable=SC2016  # dollars are for fish
  fish --no-config -c 'source $argv[1]; complete -C "$argv[2]"' \
    "$build/completions/runcladctl.fish" "$*" | cut -f1
}
# zsh completes on a terminal only: one of zpty's, with a compadd that prints what matches.
offers_zsh() {
  zsh -f "$PWD/tests/packaging/zsh_offers.zsh" "$build/completions/runcladctl.zsh" "$*"
}

has_lines() {  # TEXT LINE…
  local text=$1 line missing=0
  shift
  for line in "$@"; do
    grep -qxF -e "$line" <<<"$text" || { echo "not offered: $line"; missing=1; }
  done
  return "$missing"
}

# The tree of subcommands, breadth first; the empty line is the program itself.
commands=('')
for ((at = 0; at < ${#commands[@]}; at++)); do
  # shellcheck disable=SC2086  # several words
  for name in $(subcommands ${commands[at]}); do
    commands+=("${commands[at]:+${commands[at]} }$name")
  done
done
is "--help has subcommands below subcommands" has_lines "$(printf '%s\n' "${commands[@]}")" "policy lint"

for shell in bash zsh fish; do
  for command in "${commands[@]}"; do
    # shellcheck disable=SC2086
    mapfile -t names < <(subcommands $command)
    # shellcheck disable=SC2086
    mapfile -t flags < <(options $command)
    # shellcheck disable=SC2086
    [ ${#names[@]} -eq 0 ] ||
      is "$shell: runcladctl $command: subcommands" has_lines "$("offers_$shell" runcladctl $command '')" "${names[@]}"
    short=()
    long=()
    for flag in "${flags[@]}"; do
      case $flag in --*) long+=("$flag") ;; *) short+=("$flag") ;; esac
    done
    # shellcheck disable=SC2086
    is "$shell: runcladctl $command: options" has_lines "$("offers_$shell" runcladctl $command --)" "${long[@]}"
    # fish offers one spelling of an option to a dash alone.
    # shellcheck disable=SC2086
    [ "$shell" = fish ] || [ ${#short[@]} -eq 0 ] ||
      is "$shell: runcladctl $command: short options" has_lines "$("offers_$shell" runcladctl $command -)" "${short[@]}"
  done
  is "$shell: rules by their ids" has_lines "$("offers_$shell" runcladctl explain host-)" host-mounts host-namespaces
  is "$shell: the sorts of schemas" has_lines "$("offers_$shell" runcladctl policy schema '')" policy image shared
  is "$shell: engines" has_lines "$("offers_$shell" runcladctl configure '')" docker
  is "$shell: profiles" has_lines "$("offers_$shell" runcladctl check --profile '')" restricted baseline
  mkdir -p "$work/etc"
  is "$shell: directories" has_lines "$("offers_$shell" runcladctl why --config "$work/e" | sed 's|/$||; s|.*/||')" etc
done
finish
