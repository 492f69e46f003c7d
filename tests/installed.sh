# shellcheck shell=sh disable=SC2034
# For tests of a library as its users meet it. Sourced: makes a directory, `dir`, which goes with the
# test.

dir=$(mktemp -d "${TMPDIR:-/tmp}/rouse-install-XXXXXX")
trap 'rm -rf "$dir"' EXIT
unset MAKEFLAGS MFLAGS MAKELEVEL

# check_example FILE PAGE: the page of the manual shows the example as it is.
check_example() {
        awk '/^\.Sh/ { here = $2 == "EXAMPLES" } /^\.Ed/ { shown = 0 } here && shown { print }
                /^\.Bd/ { shown = 1 }' "$2" | sed 's/\\e/\\/g; s/^\\&//' >"$dir/example.c"
        diff -u "$1" "$dir/example.c" || {
                echo "$2 shows another example than $1"
                exit 1
        }
}

# install_library NAME: below the directory, where pkg-config and the loader find it. Sets `cflags`
# and `libs` as pkg-config says, and `so` to the shared library; empty: none was built.
install_library() {
        make -s -C "$ROUSE_BUILD" DESTDIR="$dir/root" \
                install-libLTLIBRARIES install-includeHEADERS install-pkgconfigDATA \
                >"$dir/log" 2>&1 || {
                cat "$dir/log"
                exit 1
        }
        pc=$(find "$dir/root" -name "$1.pc")
        [ -n "$pc" ] || { echo "$1.pc is not installed" && exit 1; }
        PKG_CONFIG_PATH=${pc%/*}${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
        PKG_CONFIG_SYSROOT_DIR=$dir/root
        export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR
        cflags=$(pkg-config --cflags "$1")
        libs=$(pkg-config --libs "$1")
        so=$(find "$dir/root" -name "$1.so")
        if [ -n "$so" ]; then
                LD_LIBRARY_PATH=${so%/*}${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
                export LD_LIBRARY_PATH
        fi
}
