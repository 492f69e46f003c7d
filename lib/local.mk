# Two libraries. The convenience libraries hold the same objects with every symbol visible: the
# daemon and the tests link those.

noinst_LTLIBRARIES += lib/librouse-core.la
lib_librouse_core_la_SOURCES = \
	lib/async.c \
	lib/async.h \
	lib/cleanup.h \
	lib/clock.h \
	lib/doorbell.c \
	lib/doorbell.h \
	lib/ending.c \
	lib/ending.h \
	lib/handle.c \
	lib/handle.h \
	lib/hub.c \
	lib/hub.h \
	lib/latency.h \
	lib/list.h \
	lib/loopside.h \
	lib/names.c \
	lib/names.h \
	lib/pool.c \
	lib/pool.h \
	lib/pools.h \
	lib/random.c \
	lib/random.h \
	lib/send.c \
	lib/stripes.c \
	lib/stripes.h
lib_librouse_core_la_LIBADD = $(UV_LIBS)

# librouse

lib_LTLIBRARIES += lib/librouse.la
lib_librouse_la_SOURCES =
lib_librouse_la_LIBADD = lib/librouse-core.la
lib_librouse_la_LDFLAGS = $(AM_LDFLAGS) -no-undefined -version-info $(LIBROUSE_LT_VERSION) \
	-Wl,--version-script=$(top_srcdir)/lib/librouse.sym
EXTRA_lib_librouse_la_DEPENDENCIES = lib/librouse.sym
EXTRA_DIST += lib/librouse.sym

include_HEADERS += lib/rouse.h
pkgconfig_DATA += lib/librouse.pc

# what the daemon, the client library and the shell share: JSON as it is read, waiting, and where
# sockets are

noinst_LTLIBRARIES += lib/libcommon.la
lib_libcommon_la_SOURCES = \
	lib/buffer.c \
	lib/buffer.h \
	lib/deadline.c \
	lib/deadline.h \
	lib/json-text.c \
	lib/json-text.h \
	lib/json-value.c \
	lib/json-value.h \
	lib/socket-address.c \
	lib/socket-address.h \
	lib/utf8.h

# librouse-client

noinst_LTLIBRARIES += lib/librouse-client-core.la
lib_librouse_client_core_la_SOURCES = \
	lib/attach-words.h \
	lib/client-ask.h \
	lib/client-attach.c \
	lib/client-batch.c \
	lib/client-batch.h \
	lib/client-call.c \
	lib/client-private.h \
	lib/client-send.c \
	lib/client-watch.c \
	lib/client.c \
	lib/stream.c \
	lib/stream.h
lib_librouse_client_core_la_LIBADD = lib/libcommon.la

lib_LTLIBRARIES += lib/librouse-client.la
lib_librouse_client_la_SOURCES =
lib_librouse_client_la_LIBADD = lib/librouse-client-core.la
lib_librouse_client_la_LDFLAGS = $(AM_LDFLAGS) -no-undefined \
	-version-info $(LIBROUSE_CLIENT_LT_VERSION) \
	-Wl,--version-script=$(top_srcdir)/lib/librouse-client.sym
EXTRA_lib_librouse_client_la_DEPENDENCIES = lib/librouse-client.sym
EXTRA_DIST += lib/librouse-client.sym
include_HEADERS += lib/rouse-client.h
pkgconfig_DATA += lib/librouse-client.pc

# what the daemon and the shell share: how people write words and lengths of time

noinst_LTLIBRARIES += lib/libtext.la
lib_libtext_la_SOURCES = \
	lib/suggest.c \
	lib/suggest.h \
	lib/timespan.c \
	lib/timespan.h
