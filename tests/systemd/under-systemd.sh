#!/bin/bash
#
# Run by test-systemd.sh, as root, under a systemd of its own and on a copy of the file system that
# is thrown away. Installs the build and shows, step by step, what a user of the service relies on.

set -euo pipefail

readonly build=${ROUSE_BUILD:?} source=${ROUSE_SOURCE:?} sysconfdir=${ROUSE_SYSCONFDIR:?}
readonly conf=$sysconfdir/roused/roused.yaml run=/run/roused work=/var/lib/rouse-test
readonly slowness=${ROUSE_TEST_SLOWNESS:-1}

step() {
  printf '%s\n' "- $*"
}

fail() {
  printf 'FAILED: %s\n' "$*"
  systemctl --no-pager --full status roused.service roused.socket || :
  journalctl --no-pager -u roused.service -u roused.socket -n 40 || :
  exit 1
}

# until_true WHAT COMMAND...: waits for what no event tells.
until_true() {
  local what=$1 end=$((SECONDS + 20 * slowness))
  shift
  until "$@"; do
    ((SECONDS < end)) || fail "$what"
    sleep 0.05
  done
}

# exits STATUS COMMAND...
exits() {
  local expected=$1 status=0
  shift
  "$@" >"$work/output" 2>&1 || status=$?
  ((status == expected)) ||
    fail "'$*' exits $status, not $expected: $(cat "$work/output")"
}

state() {
  systemctl is-active "$1" || :
}

poke() {
  printf '%s\n' "$1" | socat -u - UNIX-SENDTO:$run/poke.sock
}

n_lines() {
  if [[ -e $1 ]]; then wc -l <"$1"; else echo 0; fi
}

has_lines() {
  (($(n_lines "$1") >= $2))
}

# As a user without any group but those given, by number.
as_nobody() {
  local groups=(--clear-groups)
  [[ -z $1 ]] || groups=(--groups "$1")
  shift
  setpriv --reuid 65534 --regid 65534 "${groups[@]}" "$@"
}

install_build() {
  local unit_path dir unit
  # This runs below a make that has its own wishes.
  env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -C "$build" install >"$work/install.log" 2>&1 ||
    { tail -n 30 "$work/install.log"; fail "make install"; }
  bindir=$(variable bindir)
  systemd-sysusers "$(variable sysusersdir)/roused.conf"
  systemd-tmpfiles --create "$(variable tmpfilesdir)/roused.conf"
  dir=$(variable systemdsystemunitdir)
  unit_path=$(systemctl show --value --property=UnitPath)
  for unit in roused.service roused.socket; do
    [[ " $unit_path " == *" $dir "* ]] || systemctl link --quiet "$dir/$unit"
  done
  systemctl daemon-reload
}

# variable NAME: of the Makefile, expanded.
variable() {
  env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL \
    make -s --no-print-directory -C "$build" -f Makefile -f - print-variable <<END
print-variable: ; @echo '\$($1)'
.PHONY: print-variable
END
}

write_conf() {
  mkdir -p "$sysconfdir/roused"
  cat >"$conf" <<END
handles:
  touch:
    run: [/bin/sh, -c, "echo touched >>$work/touched"]
  until-stopped:
    run:
      - /bin/sh
      - -c
      - |
        echo \$\$ >$work/began
        until [ "\$(systemctl is-active roused.service)" = deactivating ]; do sleep 0.05; done
        echo ended >$work/ended
$1
END
}

mkdir -p "$work"
step "the build installs, and its units are found"
install_build
write_conf ''
rouse=("$bindir/rouse" --dir "$run")

step "systemd-analyze verify has nothing to say"
verify() {
  local output man=yes
  command -v man >/dev/null || man=no
  output=$(systemd-analyze verify --man=$man "$@" 2>&1) || fail "verify $*: $output"
  [[ -z $output ]] || fail "verify $*: $output"
}
MANPATH=$(variable mandir):
export MANPATH
verify "$(variable systemdsystemunitdir)"/roused.{service,socket}
mkdir -p /run/user/0
XDG_RUNTIME_DIR=/run/user/0 verify --user "$(variable systemduserunitdir)"/roused.{service,socket}

step "the sockets are there before the service, for the group alone"
systemctl start roused.socket
for socket in poke control; do
  [[ $(stat -c '%a %U %G' $run/$socket.sock) == '660 root roused' ]] ||
    fail "$socket.sock is $(stat -c '%a %U %G' $run/$socket.sock)"
done
[[ $(state roused.service) == inactive ]] || fail "the service runs already"
inode=$(stat -c %i $run/control.sock)

step "a poke before the first start starts the service and is not lost"
poke touch
until_true "the poke was lost" has_lines "$work/touched" 1
[[ $(state roused.service) == active ]] || fail "the service is $(state roused.service)"
[[ $(stat -c %i $run/control.sock) == "$inode" ]] || fail "control.sock was replaced"
exits 0 "${rouse[@]}" send touch --wait=run
[[ $(n_lines "$work/touched") == 2 ]] || fail "one send made $(n_lines "$work/touched") runs"

step "the watchdog is fed"
[[ $(systemctl show --value --property=WatchdogTimestampMonotonic roused.service) != 0 ]] ||
  fail "no ping came"

step "systemctl reload waits until the new configuration is in place"
write_conf "$(for ((i = 0; i < 20000; i++)); do
  printf '  many-%d: {description: one of many}\n' "$i"
done)"
pid=$(systemctl show --value --property=MainPID roused.service)
systemctl reload roused.service || fail "the reload"
exits 3 "${rouse[@]}" has-ref many-19999
[[ $(systemctl show --value --property=MainPID roused.service) == "$pid" ]] || fail "it was restarted"
[[ $(state roused.service) == active ]] || fail "the service is $(state roused.service)"

step "a reload of a wrong configuration fails, says why, and changes nothing"
write_conf '  wrong: {runn: [/bin/true]}'
exits 1 systemctl reload roused.service
journalctl --sync
journalctl --no-pager -u roused.service >"$work/journal"
grep -q "roused.yaml:[0-9]*:[0-9]*: .*runn" "$work/journal" ||
  fail "the journal does not name the place"
! grep -q many-19999 "$work/journal" || fail "the journal has every handle of a reload"
exits 3 "${rouse[@]}" has-ref many-19999
[[ $(state roused.service) == active ]] || fail "the service is $(state roused.service)"
[[ $(systemctl show --value --property=StatusText roused.service) == *refused* ]] ||
  fail "the status does not say so"
write_conf ''
systemctl reload roused.service || fail "the reload of the mended file"
[[ $(systemctl show --value --property=StatusText roused.service) == "Serving "*" handles in "* ]] ||
  fail "the status is $(systemctl show --value --property=StatusText roused.service)"
exits 4 "${rouse[@]}" has-ref many-19999

step "a user without rights is refused, a member of the group may send and no more"
gid=$(getent group roused | cut -d: -f3)
exits 5 as_nobody '' "${rouse[@]}" send touch
echo touch >"$work/poke"
exits 1 as_nobody '' socat -u "OPEN:$work/poke" UNIX-SENDTO:$run/poke.sock
exits 0 as_nobody "$gid" "${rouse[@]}" send touch --wait=run
exits 5 as_nobody "$gid" "${rouse[@]}" reload
[[ $(n_lines "$work/touched") == 3 ]] || fail "somebody else's send made a run"

step "a socket that lets in everybody leaves it to the configuration who may do what"
write_conf "  theirs: {access: {send: ['65534']}}"
systemctl reload roused.service || fail "the reload"
exits 5 as_nobody '' "${rouse[@]}" send theirs
mkdir -p /etc/systemd/system/roused.socket.d
sed -n '/^\[Socket\]$/,/^\.Ed$/{/^\.Ed$/!p}' "$source/doc/roused.8" \
  >/etc/systemd/system/roused.socket.d/mode.conf
systemctl daemon-reload
systemctl stop roused.socket
systemctl restart roused.service || fail "the restart with another mode"
[[ $(stat -c %a $run/poke.sock $run/control.sock) == $'666\n666' ]] || fail "not open to all"
exits 0 as_nobody '' "${rouse[@]}" send theirs
exits 0 as_nobody '' "${rouse[@]}" send theirs --wait
exits 5 as_nobody '' "${rouse[@]}" send touch
exits 5 as_nobody '' "${rouse[@]}" send touch --wait
rm -r /etc/systemd/system/roused.socket.d
systemctl daemon-reload
write_conf ''
systemctl stop roused.socket
systemctl restart roused.service || fail "the restart"

step "a pipe that was made for a group beforehand stays the group's"
sed -n 's/^# *\(p .*\)www-data$/\165534/p' "$source/conf/examples/ask-by-fifo.yaml" \
  >/etc/tmpfiles.d/rouse-ask.conf
systemd-tmpfiles --create rouse-ask.conf
cp "$source/conf/examples/ask-by-fifo.yaml" "$sysconfdir/roused/conf.d"
systemctl reload roused.service || fail "the reload"
as_nobody '' timeout 10 sh -c "echo rotate-logs >$run/ask" || fail "the group cannot write"
exits 0 "${rouse[@]}" wait rotate-logs --after 0 --timeout 10s
systemctl restart roused.service
[[ $(stat -c '%a %F %u:%g' $run/ask) == '620 fifo 0:65534' ]] || fail "the pipe is another"
rm "$sysconfdir/roused/conf.d/ask-by-fifo.yaml" $run/ask
systemctl reload roused.service || fail "the reload"

step "systemctl stop lets a run end"
exits 0 "${rouse[@]}" send until-stopped
until_true "the run did not begin" test -s "$work/began"
systemctl stop roused.service || fail "the stop"
[[ -e $work/ended ]] || fail "the run was cut short"
[[ $(state roused.service) == inactive ]] || fail "the service is $(state roused.service)"
[[ $(systemctl show --value --property=Result roused.service) == success ]] ||
  fail "the service ended with $(systemctl show --value --property=Result roused.service)"

step "a poke after the stop starts it again and is not lost"
poke touch
until_true "the poke was lost" has_lines "$work/touched" 4

step "a kill -9 does not lose the sockets"
pid=$(systemctl show --value --property=MainPID roused.service)
kill -KILL "$pid"
poke touch
until_true "the poke was lost" has_lines "$work/touched" 5

step "in the end nothing is left"
systemctl stop roused.socket roused.service
for file in poke.sock control.sock lock; do
  [[ ! -e $run/$file ]] || fail "$run/$file is left"
done
echo "all of it works under $(systemctl --version | head -n 1)"
