# shellcheck shell=bash
# Clients in the network namespace of the container, so that no image needs one for its requests.

# Sends stdin to a port of the container's loopback and prints what comes back, until the other side
# closes or time is up.
converse() {  # PORT [SECONDS]
  # shellcheck disable=SC2016  # expanded by the inner bash
  nsenter -t "$(container_pid)" -n timeout "${2:-10}" bash -c '
    exec 3<>"/dev/tcp/127.0.0.1/$0" && cat >&3 && cat <&3' "$1"
}

# An HTTP request: http METHOD PORT PATH [BODY [HEADER…]] prints status line, headers and body.
http() {
  local method=$1 port=$2 path=$3 body=${4:-}
  shift $(($# > 4 ? 4 : $#))
  {
    printf '%s %s HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %s\r\n' \
      "$method" "$path" "${#body}"
    [ $# -eq 0 ] || printf '%s\r\n' "$@"
    printf '\r\n%s' "$body"
  } | converse "$port"
}
# http_has TEXT METHOD PORT …: the answer is a success and has the text
http_has() {
  local text=$1 answer
  shift
  answer=$(http "$@" 2>/dev/null | tr -d '\0\r')
  printf '%.600s\n' "$answer"
  [[ $answer =~ ^HTTP/1\.[01]\ 2 ]] && [[ $answer == *"$text"* ]]
}

# docker exec that gives up, for a server may take a connection and never answer:
# inside [-e NAME=VALUE…] COMMAND…
inside() {
  local options=()
  while [ "$1" = -e ]; do
    options+=(-e "$2")
    shift 2
  done
  timeout -k 2 15 docker exec "${options[@]}" "$NAME" "$@"
}

# resolves NAME PORT: a server of DNS has an address for the name
resolves() {
  nsenter -t "$(container_pid)" -n timeout 10 python3 - "$@" <<'PY'
import socket, sys
name, port = sys.argv[1], int(sys.argv[2])
labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0"
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.settimeout(3)
client.sendto(b"\0\1\0\0\0\1\0\0\0\0\0\0" + labels + b"\0\1\0\1", ("127.0.0.1", port))
answer = client.recv(512)
sys.exit(0 if answer[3] & 15 == 0 and answer[7] > 0 else 1)
PY
}
# tells_time PORT: a server of NTP answers
tells_time() {
  nsenter -t "$(container_pid)" -n timeout 10 python3 - "$1" <<'PY'
import socket, sys
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.settimeout(3)
client.sendto(b"\x23" + 47 * b"\0", ("127.0.0.1", int(sys.argv[1])))
answer = client.recv(512)
sys.exit(0 if len(answer) >= 48 and answer[0] & 7 == 4 else 1)
PY
}
