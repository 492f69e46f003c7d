#!/bin/sh
# doc/recipes.md, word for word: its files are written, its configurations are loaded together by one
# roused, and what it types is typed and has to print what stands below it. Then each recipe's own
# effect is looked for.
#
# The one thing that is changed: before each path that begins with /etc, /run, /srv, /usr or /var
# stands a directory of the test, in which the programs are that the recipes suppose to be there.
set -eu

page=$ROUSE_SOURCE/doc/recipes.md
dir=$(mktemp -d "${TMPDIR:-/tmp}/rouse-recipes-XXXXXX")
# shellcheck source=tests/with-roused.sh
. "$ROUSE_SOURCE/tests/with-roused.sh"
root=$dir/root
recipe=none
children=

end() {
        # roused lets runs end; each further signal is a step on the way to killing them.
        for _ in 1 2 3; do
                for child in $children; do
                        kill "$child" 2>/dev/null && sleep 0.2
                done
        done
        for child in $children; do
                wait "$child" || :
        done
        rm -rf "$dir"
}
trap end EXIT
trap 'exit 1' INT TERM

has_lines() { [ -e "$2" ] && [ "$(wc -l <"$2")" -ge "$1" ]; }
is_gone() { ! [ -e "$1" ]; }
has_state() { rouse --json status "$1" | grep -q "\"state\":\"$2\""; }

# expect FILE: compares it with standard input.
expect() {
        cat >"$dir/expected"
        diff -u "$dir/expected" "$1" || fail "$1 is not as it should be"
}

# The page becomes files: NUMBER.lines of each block, and of the same number NUMBER.recipe, its
# heading, and NUMBER.what: "file PATH", "type", or "print".
mkdir "$dir/blocks" "$root"
awk -v to="$dir/blocks" '
        !inside && /^## / {
                recipe = tolower(substr($0, 4))
                gsub(/[^a-z]+/, "_", recipe)
        }
        !inside && /^```/ {
                inside = 1
                block = sprintf("%s/%03d", to, ++n)
                language = substr($1, 4)
                if ($2 ~ /^file=/)
                        what = "file " substr($2, 6)
                else if (language == "sh")
                        what = "type"
                else if (language == "text")
                        what = "print"
                else
                        what = "neither a file nor typed nor printed"
                print recipe >(block ".recipe")
                print what >(block ".what")
                printf "" >(block ".lines")
                next
        }
        inside && /^```$/ {
                inside = 0
                next
        }
        inside { print >(block ".lines") }' "$page"
sed -E -i "s#(^|[^[:alnum:]_./-])/(etc|run|srv|usr|var)/#\1$root/\2/#g" "$dir"/blocks/*.lines

# What the recipes suppose to be there.
(
        cd "$root"
        mkdir -p etc/roused run/roused var/log usr/bin usr/local/bin srv/done srv/spool srv/photos/new \
                srv/articles srv/project/src etc/letsencrypt/live/example.org \
                etc/letsencrypt/archive/example.org
        cp "$ROUSE_SOURCE/conf/default.yaml" etc/roused/roused.yaml
        printf '#!/bin/sh\nexec "%s/cli/rouse" "$@"\n' "$ROUSE_BUILD" >usr/bin/rouse
        # Says so if it runs twice at once; lasts until it is told to end.
        cat >usr/local/bin/nightly <<END
#!/bin/sh
mkdir $root/run/nightly || echo "two at once" >>$root/var/log/nightly.log
echo "begin" >>$root/var/log/nightly.log
while [ -e $root/run/hold ]; do sleep 0.05; done
echo "end" >>$root/var/log/nightly.log
rmdir $root/run/nightly
END
        # If src/slow is there when it begins, it does not come to an end. It looks before it says
        # that it begins, as who reads that may take the file away at once.
        cat >srv/project/Makefile <<END
check:
	if [ -e src/slow ]; then time=1000; else time=0; fi; \\
	echo begin >>$root/var/log/project.log; sleep \$\$time
	echo end >>$root/var/log/project.log
END
        chmod +x usr/bin/rouse usr/local/bin/nightly
        cd etc/letsencrypt/live/example.org
        for name in fullchain privkey; do
                for version in 1 2 3; do
                        echo $version >../../archive/example.org/$name$version.pem
                done
                ln -s ../../archive/example.org/${name}1.pem $name.pem
        done
)
env --default-signal=HUP sh -c 'trap "echo reloaded >>\"$1/var/log/nginx.log\"" HUP
        echo $$ >"$1/run/nginx.pid"
        sleep 1000 &
        trap "kill $!; exit" TERM
        while :; do wait $!; done' nginx "$root" &
children="$children $!"
until_true has_lines 1 "$root/run/nginx.pid"

for what in "$dir"/blocks/*.what; do
        block=${what%.what}
        recipe=$(cat "$block.recipe")
        read -r verb path <"$what"
        case $verb in
        file)
                mkdir -p "$root${path%/*}"
                cp "$block.lines" "$root$path"
                case $(head -n 1 "$root$path") in '#!'*) chmod +x "$root$path" ;; esac
                grep -qF "\`${path##*/}\`" "$page" || grep -qF "\`$path\`" "$page" ||
                        fail "the page does not name $path"
                ;;
        type | print) ;;
        *) fail "block ${block##*/} is $(cat "$what")" ;;
        esac
done
recipe=none

PATH=$root/usr/local/bin:$root/usr/bin:$PATH
ROUSE_DIR=$root/run/roused
HOME=$root
GIT_CONFIG_NOSYSTEM=1
export PATH ROUSE_DIR HOME GIT_CONFIG_NOSYSTEM
"$ROUSE_BUILD/daemon/roused" --check "$root/etc/roused/roused.yaml"
"$ROUSE_BUILD/daemon/roused" --config "$root/etc/roused/roused.yaml" --dir "$ROUSE_DIR" \
        >"$dir/log" 2>&1 &
roused=$!
children="$roused $children"
until_true answers

# The effects.

# webhook, as its configuration tells it to: the arguments, with the request's ref in their place.
after_a_webhook() {
        hook=$root/etc/webhook.json
        if command -v python3 >/dev/null; then
                python3 -m json.tool "$hook" >/dev/null || fail "that is not JSON"
        fi
        n_lines=$(wc -l <"$root/var/log/deploy.log")
        command=$(awk -F '"' '$2 == "execute-command" { print $4 }' "$hook")
        arguments=$(awk -F '"' '$4 == "string" { print $8 }
                $4 == "payload" { print "refs/heads/from-the-web" }' "$hook")
        # shellcheck disable=SC2086
        "$command" $arguments >/dev/null
        until_true has_lines $((n_lines + 1)) "$root/var/log/deploy.log"
        tail -n 1 "$root/var/log/deploy.log" | grep -qx "deploying from-the-web" ||
                fail "the key did not arrive"
}

# A push that cannot be checked out is seen by the one who pushes.
after_git_post_receive() {
        [ "$(cat "$root/srv/www/site/index.html")" = hello ] || fail "nothing was checked out"
        PATH=$PATH "$root/srv/git/site.git/hooks/post-receive" </dev/null ||
                fail "the hook failed"
        mv "$root/srv/www/site" "$root/srv/www/away"
        if "$root/srv/git/site.git/hooks/post-receive" </dev/null 2>/dev/null; then
                fail "the hook does not say that the checkout failed"
        fi
        mv "$root/srv/www/away" "$root/srv/www/site"
}

after_a_path_unit_of_systemd() {
        units=$root/etc/systemd/system
        if command -v systemd-analyze >/dev/null; then
                systemd-analyze verify "$units/spool.path" "$units/spool.service" ||
                        fail "systemd does not like the units"
        fi
        command=$(sed -n 's/^ExecStart=//p' "$units/spool.service")
        echo text >"$root/srv/spool/one"
        echo text >"$root/srv/spool/two"
        $command >/dev/null
        until_true is_gone "$root/srv/spool/one"
        until_true is_gone "$root/srv/spool/two"
        until_true [ -e "$root/srv/done/two" ]
        # and again, which is what a start limit would refuse
        for i in 1 2 3 4 5 6 7 8 9 10; do
                echo text >"$root/srv/spool/$i"
                $command >/dev/null
        done
        until_true is_gone "$root/srv/spool/10"
}

after_certificate_renewal() {
        until_true has_lines 1 "$root/var/log/nginx.log"
        "$root/etc/letsencrypt/renewal-hooks/deploy/nginx" || fail "the hook of certbot failed"
        until_true has_lines 2 "$root/var/log/nginx.log"
        has_lines 3 "$root/var/log/nginx.log" && fail "two files of a renewal were two reloads"
        mv "$root/run/nginx.pid" "$root/run/away"
        if "$root/etc/letsencrypt/renewal-hooks/deploy/nginx" 2>/dev/null; then
                fail "the hook of certbot does not say that there is no nginx"
        fi
        mv "$root/run/away" "$root/run/nginx.pid"
}

after_a_udev_rule() {
        rule=$root/etc/udev/rules.d/90-backup-disk.rules
        if command -v udevadm >/dev/null && udevadm verify --help >/dev/null 2>&1; then
                udevadm verify "$rule" || fail "udev does not like the rule"
        fi
        command=$(sed -n 's/.*RUN+="\([^"]*\)".*/\1/p' "$rule")
        for disk in sdb1 sdb2 sdb1; do
                sh -c "$(echo "$command" | sed "s/%k/$disk/")"
        done
        until_true has_lines 2 "$root/var/log/backup-disk.log"
        expect "$root/var/log/backup-disk.log" <<'END'
copying to /dev/sdb1
copying to /dev/sdb2
END
}

# With a minimum interval there is no second run in this test; without it there is exactly one.
after_cron_without_overlap() {
        line=$(cat "$root/etc/cron.d/nightly")
        echo "$line" | awk 'NF < 7 || $6 != "root" { exit 1 }' ||
                fail "a line of cron.d has five times, a user and a command"
        command=$(echo "$line" | sed -E 's/^([^ ]+ +){6}//')
        touch "$root/run/hold"
        sed -i '/min_interval/d' "$root/etc/roused/conf.d/nightly.yaml"
        rouse reload >/dev/null
        until_true has_state nightly running
        for i in 1 2 3; do
                sh -c "$command"
        done
        until_true has_state nightly behind_run
        rm "$root/run/hold"
        rouse send nightly --wait=run >/dev/null
        until_true has_state nightly idle
        grep -q "two at once" "$root/var/log/nightly.log" && fail "two at once"
        n=$(grep -c begin "$root/var/log/nightly.log")
        # the one of the page, the one that was asked for by hand, one for three times, mine
        case $n in 3 | 4) ;; *) fail "$n runs" ;; esac
}

after_changed_files_one_by_one() {
        rm "$root/srv/photos/one.jpg"
        until_true has_lines 3 "$root/var/log/thumbnails.log"
        tail -n 1 "$root/var/log/thumbnails.log" | grep -qx "gone one.jpg" || fail "not gone"
}

after_run_the_tests_when_files_change() {
        log=$root/var/log/project.log
        until_true has_state project idle # what was typed before has been dealt with
        n_lines=$(wc -l <"$log")
        touch "$root/srv/project/src/slow"
        until_true has_lines $((n_lines + 1)) "$log"
        rm "$root/srv/project/src/slow"
        until_true has_lines $((n_lines + 3)) "$log"
        tail -n 3 "$log" >"$dir/tail"
        expect "$dir/tail" <<'END'
begin
begin
end
END
}

after_wait_for_the_run_that_covers_my_change() {
        grep -qx two "$root/srv/index" || fail "the index has no 'two'"
}

# What is typed, recipe by recipe.

type_block() {
        printed=$1.printed
        (cd "$root" && sh -eu "$1.lines") >"$printed" ||
                fail "failed, and printed '$(cat "$printed")': $(cat "$1.lines")"
        next=$(printf '%s/blocks/%03d' "$dir" $((n_blocks + 1)))
        if [ -e "$next.what" ] && [ "$(cat "$next.what")" = print ]; then
                expect "$printed" <"$next.lines"
        elif [ -s "$printed" ]; then
                fail "the page does not have what is printed: $(cat "$printed")"
        fi
}

n_blocks=0
n_typed=0
n_recipes=0
recipe=none
for what in "$dir"/blocks/*.what; do
        block=${what%.what}
        n_blocks=$((n_blocks + 1))
        if [ "$recipe" != "$(cat "$block.recipe")" ]; then
                [ "$recipe" = none ] || "after_$recipe"
                recipe=$(cat "$block.recipe")
                n_recipes=$((n_recipes + 1))
        fi
        if [ "$(cat "$what")" = type ]; then
                n_typed=$((n_typed + 1))
                type_block "$block"
        fi
done
"after_$recipe"
recipe=all
[ "$n_recipes/$n_typed" = 9/9 ] || fail "$n_recipes recipes and $n_typed typed blocks were found"
rouse call shutdown >/dev/null
wait "$roused" || fail "roused ended with $?"
