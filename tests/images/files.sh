# shellcheck shell=bash
# What can be said of every image file without running anything. Sourced by matrix.sh.

# What Docker gives a container that asks for nothing: an image file that goes by a name grants no
# more (a tag is worth no more than the engine's API users).
DOCKER_DEFAULT='["CAP_AUDIT_WRITE","CAP_CHOWN","CAP_DAC_OVERRIDE","CAP_FOWNER","CAP_FSETID",
  "CAP_KILL","CAP_MKNOD","CAP_NET_BIND_SERVICE","CAP_NET_RAW","CAP_SETFCAP","CAP_SETGID",
  "CAP_SETPCAP","CAP_SETUID","CAP_SYS_CHROOT"]'

is_sound() {  # FILE
  jq -e --argjson docker "$DOCKER_DEFAULT" '
    ([.. | objects | .capabilities?.allow? // empty | .[]] - $docker | length == 0)
    and (keys - ["rules", "tags", "provenance"] | length == 0)
    and (.provenance | type == "string" and length > 20)
    and ([.. | objects | .writable? // empty | .[]] | all(startswith("/")))' "$1" >/dev/null
}
# The provenance says which service proved the file, or that none did.
is_honest() {  # FILE
  local said services service
  said=$(jq -r .provenance "$1")
  case "$said" in
    "not run: "*) return 0 ;;
    "tests/images/"*)
      services=$(grep -oE 'tests/images/[a-z0-9-]+' <<<"$said")
      for service in $services; do
        [ -f "$IMAGES_DIR/../../$service/service.sh" ] || return 1
      done ;;
    *) return 1 ;;
  esac
}

unsound=() dishonest=() count=0
while IFS= read -r file; do
  ((count += 1))
  is_sound "$file" || unsound+=("$file")
  is_honest "$file" || dishonest+=("$file")
done < <(find "$PROFILES/images" -name '*.json')
# shellcheck disable=SC2034  # shown with what fails
OUT="${unsound[*]} ${dishonest[*]}"
holds "each of $count image files grants at most what Docker's default container has" \
  test ${#unsound[@]} -eq 0
holds "each says which service proved it, or that it was not run" test ${#dishonest[@]} -eq 0
holds "there are thirty of them" test "$count" -ge 30
