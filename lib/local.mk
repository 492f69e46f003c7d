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
	lib/json-scan.c \
	lib/json-scan.h \
	lib/utf8.h
