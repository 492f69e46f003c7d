# Two libraries. The convenience libraries hold the same objects with every symbol visible: the
# daemon and the tests link those.

noinst_LTLIBRARIES += lib/librouse-core.la
lib_librouse_core_la_SOURCES = \
	lib/cleanup.h \
	lib/clock.h \
	lib/list.h
lib_librouse_core_la_LIBADD = $(UV_LIBS)

# librouse-client

noinst_LTLIBRARIES += lib/librouse-client-core.la
lib_librouse_client_core_la_SOURCES = \
	lib/buffer.c \
	lib/buffer.h \
	lib/client-call.c \
	lib/client-private.h \
	lib/client-send.c \
	lib/client-watch.c \
	lib/client.c \
	lib/deadline.c \
	lib/deadline.h \
	lib/json-scan.c \
	lib/json-scan.h \
	lib/stream.c \
	lib/stream.h \
	lib/utf8.h

lib_LTLIBRARIES += lib/librouse-client.la
lib_librouse_client_la_SOURCES =
lib_librouse_client_la_LIBADD = lib/librouse-client-core.la
lib_librouse_client_la_LDFLAGS = $(AM_LDFLAGS) \
	-version-info $(LIBROUSE_CLIENT_LT_VERSION) \
	-Wl,--version-script=$(srcdir)/lib/librouse-client.sym
EXTRA_lib_librouse_client_la_DEPENDENCIES = lib/librouse-client.sym
EXTRA_DIST += lib/librouse-client.sym
include_HEADERS += lib/rouse-client.h
pkgconfig_DATA += lib/librouse-client.pc
