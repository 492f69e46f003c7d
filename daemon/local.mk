# roused. Everything but main() stands in a convenience library, which the tests link too.

noinst_LTLIBRARIES += daemon/libroused.la
daemon_libroused_la_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS) $(YAML_CFLAGS) $(SYSTEMD_CFLAGS)
daemon_libroused_la_LIBADD = lib/librouse-core.la \
	$(UV_LIBS) $(JANSSON_LIBS) $(YAML_LIBS) $(SYSTEMD_LIBS)
daemon_libroused_la_SOURCES = \
	daemon/limits.h

# configuration

daemon_libroused_la_SOURCES += \
	daemon/access.h \
	daemon/conf-node.h \
	daemon/conf-schema.h \
	daemon/configuration.h \
	daemon/peer.h

# sources and workers

daemon_libroused_la_SOURCES += \
	daemon/cron.c daemon/cron.h \
	daemon/mailbox.c daemon/mailbox.h \
	daemon/outlet.c daemon/outlet.h \
	daemon/source.h \
	daemon/worker.h

# handles, wakes and runs

daemon_libroused_la_SOURCES += \
	daemon/action.h \
	daemon/handle.h \
	daemon/histogram.h \
	daemon/log.h \
	daemon/registry.h

# control socket

daemon_libroused_la_SOURCES += \
	daemon/control.h

# the daemon as a whole

daemon_libroused_la_SOURCES += \
	daemon/daemon.h \
	daemon/notify.c \
	daemon/notify.h \
	daemon/sockets.c \
	daemon/sockets.h
