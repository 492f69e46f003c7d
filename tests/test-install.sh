#!/bin/sh
# librouse as its users meet it: installed somewhere, found by pkg-config. The manual's example and a
# program in C++ are compiled against the installed header and library, and run; the manual shows the
# example as it is.
set -eu

dir=$(mktemp -d "${TMPDIR:-/tmp}/rouse-install-XXXXXX")
trap 'rm -rf "$dir"' EXIT
unset MAKEFLAGS MFLAGS MAKELEVEL

example=$ROUSE_SOURCE/doc/examples/hub.c
manual=$ROUSE_SOURCE/doc/librouse.3

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
pc=$(find "$dir/root" -name librouse.pc)
[ -n "$pc" ] || { echo "librouse.pc is not installed" && exit 1; }
PKG_CONFIG_PATH=${pc%/*}${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
PKG_CONFIG_SYSROOT_DIR=$dir/root
export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR
cflags=$(pkg-config --cflags librouse)
libs=$(pkg-config --libs librouse)
so=$(find "$dir/root" -name 'librouse.so')
if [ -n "$so" ]; then
        LD_LIBRARY_PATH=${so%/*}${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
        export LD_LIBRARY_PATH
else
        libs=$(pkg-config --libs --static librouse)
fi

# CFLAGS has the sanitizers, without which a library that has them does not link; UV_* are for a
# libuv that is not where the compiler looks by itself.
# shellcheck disable=SC2086
build() {
        $CC $CFLAGS -Wall -Wextra -Werror "$@" $cflags $UV_CFLAGS $libs $UV_LIBS -lpthread
}

set -x
build -std=gnu99 -Wpedantic -o "$dir/example" "$example"
"$dir/example" >"$dir/output"
awk '/^work: [0-9]+ more$/ { n += $2 } END { exit n == 1000 ? 0 : 1 }' "$dir/output"

cat >"$dir/header.cc" <<'END'
#include <rouse.h>

static void on_wake(rouse_async_t *async, uint64_t n_sends) {
        *static_cast<uint64_t *>(rouse_async_data(async)) += n_sends;
        rouse_async_unref(async);
}

int main() {
        uv_loop_t loop;
        rouse_hub_t *hub;
        rouse_async_t *async;
        uint64_t n = 0;

        if (uv_loop_init(&loop) != 0 || rouse_hub_create(&loop, &hub) != 0 ||
            rouse_async_create(hub, nullptr, on_wake, &n, &async) != 0)
                return 1;
        rouse_handle_ref(rouse_async_to_handle(async));
        rouse_async_send(async);
        uv_run(&loop, UV_RUN_DEFAULT);
        rouse_async_release(async);
        rouse_hub_close(hub, nullptr, nullptr);
        uv_run(&loop, UV_RUN_DEFAULT);
        return uv_loop_close(&loop) == 0 && n == 1 ? 0 : 1;
}
END
build -std=c++11 -o "$dir/header" -x c++ "$dir/header.cc" -x none -lstdc++
"$dir/header"
