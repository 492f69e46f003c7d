# Tests: check's for modules and for the real programs. A test is a program of its own; those that
# need a built roused or rouse find it through ROUSE_BUILD.

if HAVE_CHECK

check_LTLIBRARIES += tests/libsupport.la
tests_libsupport_la_SOURCES = \
	tests/harness.c tests/harness.h \
	tests/support.c tests/support.h \
	tests/unix-socket.c tests/unix-socket.h
tests_libsupport_la_CFLAGS = $(AM_CFLAGS) $(CHECK_CFLAGS)
tests_libsupport_la_LIBADD = $(CHECK_LIBS) $(UV_LIBS)

CFLAGS_TEST = $(AM_CFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS)
LDADD_LIB = tests/libsupport.la lib/librouse-core.la $(CHECK_LIBS) $(UV_LIBS)
LDADD_DAEMON = tests/libsupport.la daemon/libroused.la lib/librouse-core.la \
	$(CHECK_LIBS) $(UV_LIBS) $(JANSSON_LIBS)

AM_TESTS_ENVIRONMENT = ROUSE_BUILD='$(abs_top_builddir)' ROUSE_SOURCE='$(abs_top_srcdir)'; \
	export ROUSE_BUILD ROUSE_SOURCE;

# library

include tests/lib.mk

# configuration

include tests/conf.mk

# sources and workers

include tests/sources.mk

# handles, wakes and runs

include tests/handles.mk

# control socket

include tests/control.mk

# attach, from both sides

include tests/attach.mk

# client library and shell

include tests/cli.mk

# the programs as a whole

include tests/whole.mk

endif
