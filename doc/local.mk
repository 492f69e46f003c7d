# Manuals and what they include.

dist_man_MANS += \
	doc/librouse.3 \
	doc/librouse-client.3 \
	doc/rouse.1 \
	doc/roused.8 \
	doc/roused.yaml.5
dist_doc_DATA += doc/design.md doc/performance.md doc/protocol.md doc/recipes.md
performancedir = $(docdir)/performance
dist_performance_DATA = \
	doc/performance/cost.svg \
	doc/performance/wake.svg \
	doc/performance/waiter.svg

# Programs to copy from. Those of librouse-client are built by `make check`, and all are run by
# tests.

dist_examples_DATA += \
	doc/examples/attach.c \
	doc/examples/hub.c \
	doc/examples/poke.sh \
	doc/examples/watch.py

check_PROGRAMS += doc/examples/attach
doc_examples_attach_SOURCES = doc/examples/attach.c
doc_examples_attach_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/lib
doc_examples_attach_LDADD = lib/librouse-client.la
