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
	lib/names.c \
	lib/names.h
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
