#!/bin/sh
# Pokes a handle from a shell, without anything of rouse: netcat and two sockets.
#
#     poke.sh HANDLE [KEY]
set -eu

dir=${ROUSE_DIR:-/run/roused}
handle=${1:?which handle?}
key=${2:-}

# The shortest way: a line in a datagram. The answer is "ok TICKET" or "error REASON". Whoever does
# not care for it may leave out the read; the send counts all the same.
answer=$(printf '%s\n' "$handle${key:+ $key}" | nc -uU -w1 "$dir/poke.sock")
case $answer in
ok\ *) echo "$handle will wake: number ${answer#ok } or an earlier one covers this" ;;
*)
        echo "$handle: ${answer:-no answer}" >&2
        exit 1
        ;;
esac

# Everything else speaks JSON-RPC, a line each way: here, to wait until that wake has come.
printf '{"jsonrpc":"2.0","method":"wait","params":{"name":"%s","ticket":%s},"id":1}\n' \
        "$handle" "${answer#ok }" | nc -NU "$dir/control.sock"
