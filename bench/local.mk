# Benchmarks: built and run by `make bench`, not by `make`.

EXTRA_PROGRAMS = \
	bench/attach \
	bench/cli-spawn \
	bench/control \
	bench/daemon \
	bench/hub \
	bench/litmus \
	bench/plot \
	bench/poke \
	bench/waiter
CLEANFILES += $(EXTRA_PROGRAMS)

EXTRA_LTLIBRARIES = bench/libbench.la
CLEANFILES += $(EXTRA_LTLIBRARIES)
bench_libbench_la_SOURCES = \
	bench/bare.c \
	bench/bare.h \
	bench/bare-names.c \
	bench/dbus.c \
	bench/dbus.h \
	bench/measure.c \
	bench/measure.h \
	bench/peer.c \
	bench/peer.h \
	bench/peer-dbus.c \
	bench/peer-mosquitto.c \
	bench/peer-nats.c \
	bench/peer-redis.c \
	bench/peer-roused.c \
	bench/peer-s6.c \
	bench/samples.c \
	bench/samples.h \
	bench/server.c \
	bench/server.h \
	bench/side.c \
	bench/side.h
bench_libbench_la_LIBADD = $(UV_LIBS)

bench_attach_SOURCES = bench/attach.c tests/stand-in.c tests/stand-in.h
bench_attach_LDADD = bench/libbench.la daemon/libroused.la lib/librouse-client-core.la \
	lib/librouse-core.la $(UV_LIBS)

bench_cli_spawn_SOURCES = bench/cli-spawn.c
bench_cli_spawn_LDADD = bench/libbench.la

bench_control_SOURCES = bench/control.c
bench_control_CFLAGS = $(AM_CFLAGS) $(JANSSON_CFLAGS)
bench_control_LDADD = bench/libbench.la $(JANSSON_LIBS)

bench_daemon_SOURCES = \
	bench/daemon.c \
	bench/own-roused.c \
	bench/own-roused.h
bench_daemon_CFLAGS = $(AM_CFLAGS) $(YAML_CFLAGS)
bench_daemon_LDADD = bench/libbench.la $(UV_LIBS) $(YAML_LIBS)

bench_hub_SOURCES = \
	bench/engine.c \
	bench/engine.h \
	bench/hub-turns.c bench/hub-turns.h \
	bench/hub.c
bench_hub_LDADD = bench/libbench.la lib/librouse-core.la $(UV_LIBS) -lm

bench_litmus_SOURCES = \
	bench/engine.c \
	bench/engine.h \
	bench/litmus.c
bench_litmus_LDADD = bench/libbench.la lib/librouse-core.la $(UV_LIBS)

bench_poke_SOURCES = bench/poke.c
bench_poke_LDADD = bench/libbench.la

bench_waiter_SOURCES = bench/waiter.c
bench_waiter_LDADD = bench/libbench.la

bench_plot_SOURCES = bench/plot.c
bench_plot_LDADD = -lm

EXTRA_DIST += \
	bench/rows \
	bench/run

bench-programs: $(EXTRA_PROGRAMS) daemon/roused cli/rouse
bench: bench-programs
	$(srcdir)/bench/run . $(BENCH_FLAGS)
.PHONY: bench bench-programs
