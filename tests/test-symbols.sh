#!/bin/sh
# Each library exports what its .sym file lists, with its version, and nothing else; and each name
# is declared in the public header and stands in the manual.
set -eu
LC_ALL=C
export LC_ALL

status=0
dir=$(mktemp -d "${TMPDIR:-/tmp}/rouse-symbols-XXXXXX")
trap 'rm -rf "$dir"' EXIT

for library in librouse librouse-client; do
        so=$ROUSE_BUILD/lib/.libs/$library.so
        sym=$ROUSE_SOURCE/lib/$library.sym
        header=$ROUSE_SOURCE/lib/${library#lib}.h
        manual=$ROUSE_SOURCE/doc/$library.3
        if [ ! -e "$so" ]; then
                echo "$so: not built, so there is nothing to compare"
                exit 77
        fi
        version=$(sed -n 's/^\([A-Z0-9_]*\) {.*/\1/p' "$sym")
        sed -n "s/^[[:space:]]*\(rouse_[a-z_]*\);\$/\1@@$version/p" "$sym" | sort >"$dir/wanted"
        nm -D --defined-only --with-symbol-versions "$so" | awk '$2 != "A" { print $3 }' | sort \
                >"$dir/found"
        if ! diff -u "$dir/wanted" "$dir/found"; then
                echo "$library exports something else than $sym lists"
                status=1
        fi
        for name in $(sed 's/@.*//' "$dir/wanted"); do
                if ! grep -q "$name(" "$header"; then
                        echo "$header does not declare $name"
                        status=1
                fi
                if ! grep -q "^\.Fn $name " "$manual"; then
                        echo "$manual does not have $name"
                        status=1
                fi
        done
        [ -s "$dir/wanted" ] || status=1
done
exit $status
