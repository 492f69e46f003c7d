#!/bin/sh
# librouse-client as its users meet it: installed somewhere, found by pkg-config, in C99 and in C++,
# with libc alone. The manual shows the example as it is.
set -eu

dir=$(mktemp -d "${TMPDIR:-/tmp}/rouse-client-XXXXXX")
trap 'rm -rf "$dir"' EXIT
unset MAKEFLAGS MFLAGS MAKELEVEL

example=$ROUSE_SOURCE/doc/examples/attach.c
manual=$ROUSE_SOURCE/doc/librouse-client.3

awk '/^\.Sh/ { here = $2 == "EXAMPLES" } /^\.Ed/ { shown = 0 } here && shown { print }
        /^\.Bd/ { shown = 1 }' "$manual" | sed 's/\\e/\\/g; s/^\\&//' >"$dir/example.c"
diff -u "$example" "$dir/example.c" || {
        echo "$manual shows another example than $example"
        exit 1
}

make -s -C "$ROUSE_BUILD" DESTDIR="$dir/root" \
        install-libLTLIBRARIES install-includeHEADERS install-pkgconfigDATA >"$dir/log" 2>&1 || {
        cat "$dir/log"
        exit 1
}
pc=$(find "$dir/root" -name librouse-client.pc)
[ -n "$pc" ] || { echo "librouse-client.pc is not installed" && exit 1; }
PKG_CONFIG_PATH=${pc%/*}
PKG_CONFIG_SYSROOT_DIR=$dir/root
export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR
cflags=$(pkg-config --cflags librouse-client)
libs=$(pkg-config --libs librouse-client)
so=$(find "$dir/root" -name librouse-client.so)
if [ -n "$so" ]; then
        LD_LIBRARY_PATH=${so%/*}${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
        export LD_LIBRARY_PATH
fi

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
