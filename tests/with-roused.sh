# shellcheck shell=sh
# For tests that start a real roused. Sourced, with `dir` set; roused's log is the file `log` there.

unset MAKEFLAGS MFLAGS MAKELEVEL
patience=$((200 * ${ROUSE_TEST_SLOWNESS:-1})) # tenths of a second

# fail WORDS...: ends the test; $recipe, if there is one, stands before them.
fail() {
        echo "${recipe:+$recipe: }$*"
        echo "the end of roused's log:"
        tail -n 20 "$dir/log" || :
        exit 1
}

# until_true COMMAND...: waits until it succeeds.
until_true() {
        n=0
        until "$@"; do
                n=$((n + 1))
                [ "$n" -lt "$patience" ] || fail "did not come true: $*"
                sleep 0.1
        done
}

rouse() { "$ROUSE_BUILD/cli/rouse" "$@"; }
answers() { rouse list >/dev/null 2>&1; }
