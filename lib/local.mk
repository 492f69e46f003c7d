# Two libraries. The convenience libraries hold the same objects with every symbol visible: the
# daemon and the tests link those.

noinst_LTLIBRARIES += lib/librouse-core.la
lib_librouse_core_la_SOURCES = \
	lib/cleanup.h \
	lib/clock.h \
	lib/list.h
lib_librouse_core_la_LIBADD = $(UV_LIBS)

# librouse

include_HEADERS += lib/rouse.h

