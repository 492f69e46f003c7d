#!/bin/sh
# librouse-client as its users meet it: installed somewhere, found by pkg-config, in C99 and in C++,
# with libc alone. The manual shows the example as it is, and the types as the header has them.
set -eu

# shellcheck source=tests/installed.sh
. "$ROUSE_SOURCE/tests/installed.sh"

check_example "$ROUSE_SOURCE/doc/examples/attach.c" "$ROUSE_SOURCE/doc/librouse-client.3"

# types FILE: of the members that a user sees, line by line.
types() {
        awk '/^typedef (struct|enum) .* \{$/ { shown = 1 }
                shown { sub(/^\\&$/, ""); print }
                shown && /^}/ { shown = 0 }' "$1"
}
types "$ROUSE_SOURCE/lib/rouse-client.h" >"$dir/header-types"
types "$ROUSE_SOURCE/doc/librouse-client.3" >"$dir/page-types"
[ -s "$dir/header-types" ] || { echo "the header has no types" && exit 1; }
diff -u "$dir/header-types" "$dir/page-types" || {
        echo "the manual shows other types than the header"
        exit 1
}

unset PKG_CONFIG_PATH # it needs no other library
install_library librouse-client

cat >"$dir/user.c" <<'END'
#include <rouse-client.h>

#include <errno.h>
#include <string.h>

int main(int argc, char **argv) {
        rouse_client_t *client;
        int r;

        if (argc != 2 || rouse_client_create(argv[1], &client) < 0)
                return 1;
        r = rouse_client_send(client, "reindex", 1000, NULL);
        if (r != -ENOENT || rouse_client_get_error(client)->code != r ||
            strcmp(rouse_client_dir(client), argv[1]) != 0)
                return 1;
        rouse_client_free(client);
        return 0;
}
END
cp "$dir/user.c" "$dir/user.cc"

# CFLAGS has the sanitizers, without which a library that has them does not link.
set -x
# shellcheck disable=SC2086
$CC $CFLAGS -std=c99 -Wall -Wextra -Wpedantic -Werror -o "$dir/user" "$dir/user.c" $cflags $libs
"$dir/user" "$dir/nothing"
# shellcheck disable=SC2086
$CC $CFLAGS -std=c++11 -Wall -Wextra -Werror -o "$dir/user-cc" -x c++ "$dir/user.cc" -x none -lstdc++ \
        $cflags $libs
"$dir/user-cc" "$dir/nothing"
if [ -n "$so" ]; then
        needed=$(readelf -d "$so" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
                grep -v -e '^libc\.' -e san -e '^ld-' || true)
        [ -z "$needed" ] || { echo "needs more than libc: $needed" && exit 1; }
fi
