#!/bin/sh
# librouse as its users meet it: installed somewhere, found by pkg-config. The manual's example and a
# program in C++ are compiled against the installed header and library, and run; the manual shows the
# example as it is. And what is installed to be read leads nowhere where there is nothing.
set -eu

# shellcheck source=tests/installed.sh
. "$ROUSE_SOURCE/tests/installed.sh"

example=$ROUSE_SOURCE/doc/examples/hub.c
check_example "$example" "$ROUSE_SOURCE/doc/librouse.3"

install_library librouse
[ -n "$so" ] || libs=$(pkg-config --libs --static librouse)

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

set +x
make -s -C "$ROUSE_BUILD" DESTDIR="$dir/docs" install-data >"$dir/log" 2>&1 || {
        cat "$dir/log"
        exit 1
}
find "$dir/docs" -name '*.md' >"$dir/pages"
grep -q '/recipes\.md$' "$dir/pages" || { echo "no page is installed" && exit 1; }
while read -r page; do
        grep -o '](\([^)#:]*\))' "$page" | sed 's/^](//; s/)$//' | while read -r link; do
                [ -e "${page%/*}/$link" ] || { echo "$page leads to $link, which is not there" && exit 1; }
        done
done <"$dir/pages"
