# roused. Everything but main() stands in a convenience library, which the tests link too.

noinst_LTLIBRARIES += daemon/libroused.la
daemon_libroused_la_CFLAGS = $(AM_CFLAGS) $(YAML_CFLAGS)
daemon_libroused_la_LIBADD = lib/librouse-core.la lib/libcommon.la lib/libtext.la \
	$(UV_LIBS) $(YAML_LIBS)
daemon_libroused_la_SOURCES = \
	daemon/limits.h

# configuration

daemon_libroused_la_SOURCES += \
	daemon/access.c \
	daemon/access.h \
	daemon/conf-arena.c \
	daemon/conf-arena.h \
	daemon/conf-error.c \
	daemon/conf-error.h \
	daemon/conf-files.c \
	daemon/conf-files.h \
	daemon/conf-group.c \
	daemon/conf-group.h \
	daemon/conf-handle.c \
	daemon/conf-handle.h \
	daemon/conf-loader.c \
	daemon/conf-loader.h \
	daemon/conf-node.c \
	daemon/conf-node.h \
	daemon/conf-policy.c \
	daemon/conf-policy.h \
	daemon/conf-pool.c \
	daemon/conf-pool.h \
	daemon/conf-references.c \
	daemon/conf-references.h \
	daemon/conf-schema.c \
	daemon/conf-schema.h \
	daemon/conf-utf8.c \
	daemon/conf-utf8.h \
	daemon/conf-value.c \
	daemon/conf-value.h \
	daemon/conf-worker.c \
	daemon/conf-worker.h \
	daemon/conf-yaml.c \
	daemon/conf-yaml.h \
	daemon/configuration-load.c \
	daemon/configuration-private.h \
	daemon/configuration.c \
	daemon/configuration.h \
	daemon/own-group.c \
	daemon/own-group.h \
	daemon/peer-cache.c \
	daemon/peer-cache.h \
	daemon/peer.c \
	daemon/peer.h \
	daemon/signal-names.c \
	daemon/signal-names.h \
	daemon/user-names.c \
	daemon/user-names.h

# sources and workers

daemon_libroused_la_SOURCES += \
	daemon/cron.c daemon/cron.h \
	daemon/fifo.c daemon/fifo.h \
	daemon/mailbox.c daemon/mailbox.h \
	daemon/notifier.c daemon/notifier.h \
	daemon/outlet.c daemon/outlet.h \
	daemon/period.h \
	daemon/source-cron.c \
	daemon/source-every.c \
	daemon/source-fifo.c \
	daemon/source-kinds.h \
	daemon/source-signal.c \
	daemon/source-watch.c \
	daemon/source.c daemon/source.h \
	daemon/watch-path.c daemon/watch-path.h \
	daemon/watch-tree.c daemon/watch-tree.h \
	daemon/worker.c daemon/worker.h

# handles, wakes and runs

daemon_libroused_la_SOURCES += \
	daemon/action-run.c daemon/action-run.h \
	daemon/action-send.c daemon/action-send.h \
	daemon/action-signal.c daemon/action-signal.h \
	daemon/action.c daemon/action.h \
	daemon/command-env.c daemon/command-env.h \
	daemon/command.c daemon/command.h \
	daemon/core.c daemon/core.h \
	daemon/deadline.c daemon/deadline.h \
	daemon/exec.c daemon/exec.h \
	daemon/gate.c daemon/gate.h \
	daemon/group.c daemon/group.h \
	daemon/groups.c daemon/groups.h \
	daemon/handle-context.c daemon/handle-context.h \
	daemon/handle-private.h daemon/handle-tools.h \
	daemon/handle-run.c daemon/handle-send.c daemon/handle-view.c daemon/handle-watch.c \
	daemon/handle.c daemon/handle.h \
	daemon/histogram.c daemon/histogram.h \
	daemon/sketch.c daemon/sketch.h \
	daemon/key-hash.c daemon/key-hash.h \
	daemon/keyset.c daemon/keyset.h \
	daemon/line-reader.c daemon/line-reader.h \
	daemon/log-limit.h \
	daemon/log.c daemon/log.h \
	daemon/orphans.c daemon/orphans.h \
	daemon/policy.c daemon/policy.h \
	daemon/poke-lines.c daemon/poke-lines.h \
	daemon/poke-replies.c daemon/poke-replies.h \
	daemon/poke.c daemon/poke.h \
	daemon/proc.c daemon/proc.h \
	daemon/reaper.c daemon/reaper.h \
	daemon/registry-private.h daemon/registry-setup.h \
	daemon/registry-apply.c daemon/registry.c daemon/registry.h \
	daemon/run-env.c daemon/run-env.h \
	daemon/run-conf.c daemon/run-conf.h \
	daemon/run-rlimits.c daemon/run-rlimits.h \
	daemon/run-value.c daemon/run-value.h \
	daemon/run.c daemon/run.h \
	daemon/runner.c daemon/runner.h \
	daemon/runs.c daemon/runs.h \
	daemon/seqfile.c daemon/seqfile.h \
	daemon/strv-pack.c daemon/strv-pack.h \
	daemon/tails.c daemon/tails.h \
	daemon/unread.c daemon/unread.h

# control socket

daemon_libroused_la_SOURCES += \
	daemon/attachment.c \
	daemon/attachment.h \
	daemon/client-user.c daemon/client-user.h \
	daemon/client.c \
	daemon/client.h \
	daemon/control.c \
	daemon/control.h \
	daemon/control-private.h \
	daemon/glob.c \
	daemon/glob.h \
	daemon/json-view.c \
	daemon/json-view.h \
	daemon/json-write.c \
	daemon/json-write.h \
	daemon/methods.c \
	daemon/methods.h \
	daemon/methods-attach.c \
	daemon/methods-daemon.c \
	daemon/methods-handle.c \
	daemon/methods-query.c \
	daemon/methods-send.c \
	daemon/methods-wait.c \
	daemon/methods-watch.c \
	daemon/news.c \
	daemon/news.h \
	daemon/openrpc.c \
	daemon/openrpc.h \
	daemon/rpc.c \
	daemon/rpc.h \
	daemon/rpc-batch.c \
	daemon/rpc-batch.h \
	daemon/rpc-call.c \
	daemon/rpc-call.h \
	daemon/rpc-error.c \
	daemon/rpc-error.h \
	daemon/rpc-method.c \
	daemon/rpc-method.h \
	daemon/schemas.c \
	daemon/schemas.h \
	daemon/sentence.c \
	daemon/sentence.h \
	daemon/stream-fds.c \
	daemon/stream-fds.h \
	daemon/stream.c \
	daemon/stream.h \
	daemon/subscription.c \
	daemon/subscription.h \
	daemon/surplus.c \
	daemon/surplus.h \
	daemon/wait.c \
	daemon/wait.h

# the daemon as a whole

daemon_libroused_la_SOURCES += \
	daemon/daemon-setup.h \
	daemon/daemon.c daemon/daemon.h \
	daemon/notify.c daemon/notify.h \
	daemon/sockets.c daemon/sockets.h \
	daemon/workforce.c daemon/workforce.h

sbin_PROGRAMS += daemon/roused
daemon_roused_SOURCES = daemon/main.c
daemon_roused_CFLAGS = $(AM_CFLAGS)
daemon_roused_LDADD = daemon/libroused.la
