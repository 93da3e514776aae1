# zsh -f zsh_offers.zsh SCRIPT LINE: what zsh offers at the end of LINE, one a line.
zmodload zsh/zpty
zpty offers zsh -f -i
zpty -w offers "PS1= PS2=; unsetopt zle_bracketed_paste beep; stty -echo"
# Everything is offered at once, and nothing is inserted.
zpty -w offers 'autoload -U compinit; compinit -u -D
setopt no_list_ambiguous
zstyle ":completion:*" verbose no
compadd() {
  local -a hits
  [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]] && { builtin compadd "$@"; return }
  builtin compadd -O hits "$@"
  print -rl -- "offer:"${^hits} >&3
  builtin compadd "$@"
}'
file=$(mktemp)
zpty -w offers "exec 3>$file; autoload -U _runcladctl; fpath=(${(q)file}.d \$fpath)"
mkdir $file.d
cp $1 $file.d/_runcladctl
zpty -w offers "compdef _runcladctl runcladctl; bindkey '^I' complete-word; finished() { print -r done >&3 }; zle -N finished; bindkey '^X' finished"
zpty -w offers "print ready >&3"
integer waited=0
until grep -q ready $file || (( waited++ > 200 )); do sleep 0.05; zpty -r -t offers skipped; done
zpty -w -n offers "$2"$'\t'$'\x18'
waited=0
until grep -q done $file || (( waited++ > 200 )); do sleep 0.05; zpty -r -t offers skipped; done
sed -n 's/^offer://p' $file | sort -u
zpty -d offers
rm -rf $file $file.d
