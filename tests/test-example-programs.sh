#!/bin/sh
# The programs that are installed as examples do with a real roused what they say.
set -eu

examples=$ROUSE_SOURCE/doc/examples
dir=$(mktemp -d "${TMPDIR:-/tmp}/rouse-programs-XXXXXX")
# shellcheck source=tests/with-roused.sh
. "$ROUSE_SOURCE/tests/with-roused.sh"
ROUSE_DIR=$dir/sockets
export ROUSE_DIR
pid=
skipped=0

end() {
        [ -z "$pid" ] || { kill "$pid" && wait "$pid" || :; }
        rm -rf "$dir"
}
trap end EXIT
trap 'exit 1' INT TERM

# has_stat HANDLE MEMBER VALUE
has_stat() { rouse --json stats "$1" | grep -q "\"$2\":$3[,}]"; }

start() {
        "$ROUSE_BUILD/daemon/roused" --config "$dir/roused.yaml" --dir "$ROUSE_DIR" 2>>"$dir/log" 3>&- &
        pid=$!
        until_true answers
}

mkdir "$ROUSE_DIR"
cat >"$dir/roused.yaml" <<'END'
handles:
  quick: {}
  reindex:
    run: [/bin/true]
END
start

# C: lines come before and after the daemon is killed, and none is lost.
mkfifo "$dir/work"
"$ROUSE_BUILD/doc/examples/attach" quick <"$dir/work" 2>"$dir/attach.log" &
attach=$!
exec 3>"$dir/work"
printf '1\n2\n3\n' >&3
until_true has_stat quick sends 3
kill -9 "$pid"
wait "$pid" || :
pid=
printf '4\n5\n' >&3
start
printf '6\n' >&3
until_true has_stat quick sends 3
exec 3>&-
wait "$attach" || fail "attach: $(cat "$dir/attach.log")"
"$ROUSE_BUILD/doc/examples/attach" nobody </dev/null 2>"$dir/attach.log" && fail "there is no nobody"
grep -q 'No handle is named "nobody"' "$dir/attach.log" || fail "attach: $(cat "$dir/attach.log")"

# Shell.
if command -v nc >/dev/null; then
        "$examples/poke.sh" quick 'a key' >"$dir/output" || fail "poke.sh: $(cat "$dir/output")"
        grep -q '^quick will wake: number [0-9]* or' "$dir/output" || fail "$(cat "$dir/output")"
        grep -q '"result":{"seq":[0-9]*,' "$dir/output" || fail "$(cat "$dir/output")"
        "$examples/poke.sh" nobody >"$dir/output" 2>&1 && fail "there is no nobody"
        grep -q 'nobody: error no_such_handle' "$dir/output" || fail "$(cat "$dir/output")"
else
        echo "poke.sh is not run: there is no nc"
        skipped=1
fi

# Python.
if python3 -c '' 2>/dev/null; then
        for handle in quick reindex; do
                timeout 60 python3 "$examples/watch.py" "$handle" >"$dir/output" ||
                        fail "watch.py: $(cat "$dir/output")"
                grep -q "^poked $handle, ticket [0-9]*\$" "$dir/output" || fail "$(cat "$dir/output")"
                grep -q "^wake $handle [0-9]*\$" "$dir/output" || fail "$(cat "$dir/output")"
        done
        grep -q '^run_ended reindex [0-9]*$' "$dir/output" || fail "$(cat "$dir/output")"
        python3 "$examples/watch.py" nobody >"$dir/output" 2>&1 && fail "there is no nobody"
else
        echo "watch.py is not run: there is no python3"
        skipped=1
fi

[ "$skipped" = 0 ] || exit 77
