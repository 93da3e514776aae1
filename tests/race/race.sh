#!/bin/bash
# A topic of tests/e2e/run.sh, which starts the engines: see run.sh beside this file.
# shellcheck source=tests/e2e/lib.sh
. "${E2E_DIR:?}/lib.sh"

here=$(cd "$(dirname "$0")" && pwd)
"${CC:-cc}" -O1 -Wall -Wextra -Werror -o "$E2E_WORK/swap" "$here/swap.c" || exit 1
tar -C "$E2E_WORK/rootfs" -c . | podman import -q -c 'CMD ["sh"]' - box >/dev/null
# In the image, a link that the root of a volume replaces by a directory.
mkdir -p "$E2E_WORK/linked/l"
cp -a "$E2E_WORK/rootfs/." "$E2E_WORK/linked"
ln -s / "$E2E_WORK/linked/l/m"
tar -C "$E2E_WORK/linked" -c . | docker import -c 'CMD ["sh"]' - linked >/dev/null

stop=()
[ "$E2E_PROVE" = 0 ] || stop=(--until-seen)
python3 "$here/race.py" --creates "${RACE_CREATES:-200}" "${stop[@]}" >"$E2E_WORK/race.tsv" ||
  record not-ok "the harness ran to its end"

# trick, creates, refused, right, neither, host
right_total=0
while IFS=$'\t' read -r trick creates _ right _ host; do
  guards "$trick: none of $creates creates sees the host" test "$host" -eq 0
  right_total=$((right_total + right))
done < <(tail -n +2 "$E2E_WORK/race.tsv")
holds "containers started with what was checked ($right_total)" test "$right_total" -gt 0
column -t -s $'\t' "$E2E_WORK/race.tsv" | sed 's/^/# /'
# podman tidies up behind containers that were refused.
eventually 30 sh -c '! pgrep -f "container cleanup" >/dev/null'
podman rmi -f box >/dev/null
