#!/bin/bash
# The completion of bash, with a rouse that knows three handles.
set -eu

dir=$(mktemp -d "${TMPDIR:-/tmp}/rouse-completion-XXXXXX")
trap 'rm -rf "$dir"' EXIT
cat >"$dir/rouse" <<END
#!/bin/sh
case "\$*" in
*list*) printf 'NAME  STATE\nreindex  idle\nreload:nginx  idle\ndeploy  idle\n' ;;
*) exec "$ROUSE_BUILD/cli/rouse" "\$@" ;;
esac
END
chmod +x "$dir/rouse"
PATH=$dir:$PATH
# shellcheck source=/dev/null
. "$ROUSE_SOURCE/cli/rouse.bash"

status=0
# check EXPECTED WORD...: what the last word becomes
check() {
        local expected=$1
        shift
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
        _rouse || true
        if [[ "${COMPREPLY[*]}" != "$expected" ]]; then
                echo "'$*' becomes '${COMPREPLY[*]}', not '$expected'"
                status=1
        fi
}

check 'send' rouse se
check 'status stats start stop' rouse st
check 'status stats start stop' rouse --dir /x st
check '--dir' rouse --d
check 'reindex reload:nginx' rouse send re
check 'deploy' rouse wait --after 3 d
check '--timeout' rouse send x --ti
check '--after' rouse wait --a
check '' rouse wait --after ''
check 'reload' rouse help rel
check "$dir/rouse" rouse check "$dir/ro"
check '' rouse create re
check 'runs' rouse ru
check 'reindex reload:nginx' rouse runs --limit 3 re
check '' rouse pause --for ''
check '--runs' rouse watch --r
check 'top' rouse to
check 'reindex reload:nginx' rouse top --interval 2s re
check '' rouse top --interval ''
check '--count' rouse top --c
exit $status
