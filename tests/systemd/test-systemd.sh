#!/bin/bash
#
# roused under a real systemd, as it is installed: see under-systemd.sh beside this file for what
# is shown. That script must not touch the machine it is run on, so it needs something that boots a
# private systemd and runs a command under it:
#
#   LAUNCHER run [--cow DIR]... [--timeout SECONDS] -- COMMAND [ARG...]
#
# with the DIRs shown copy-on-write. $SYSTEMD_HOST names it; without it, or without what it needs,
# the test is skipped.

set -euo pipefail

skip() {
  printf 'skipped: %s\n' "$*"
  exit 77
}

source=${ROUSE_SOURCE:?is set by make check}
build=${ROUSE_BUILD:?is set by make check}

launcher=${SYSTEMD_HOST:-$source/../shared/systemd-host}
[[ -x $launcher && ! -d $launcher ]] ||
  skip "no private systemd: SYSTEMD_HOST does not name a program that boots one"
((EUID == 0)) || skip "a private systemd can be booted by root alone"
[[ -e $build/systemd/roused.service ]] || skip "built without units"
for tool in systemctl systemd-analyze dbus-daemon unshare setpriv socat; do
  command -v "$tool" >/dev/null || skip "$tool is not installed"
done

cd "$source"
# Where no cgroup or mount may be made, as in most containers, that is no fault of roused's.
"$launcher" run --timeout 30 -- true ||
  skip "the private systemd does not boot here (see above)"
exec "$launcher" run --cow "$source" --cow "$build" --timeout 150 -- \
  bash "$source/tests/systemd/under-systemd.sh"
