# Benchmarks: built and run by `make bench`, not by `make`.

EXTRA_PROGRAMS = \
	bench/attach \
	bench/cli-spawn \
	bench/daemon \
	bench/hub
CLEANFILES += $(EXTRA_PROGRAMS)

bench_attach_SOURCES = \
	bench/attach.c \
	bench/measure.c \
	bench/measure.h
bench_attach_LDADD = daemon/libroused.la lib/librouse-client-core.la lib/librouse-core.la $(UV_LIBS)

bench_cli_spawn_SOURCES = bench/cli-spawn.c

bench_daemon_SOURCES = \
	bench/daemon.c \
	bench/measure.c \
	bench/measure.h \
	bench/own-roused.c \
	bench/own-roused.h
bench_daemon_CFLAGS = $(AM_CFLAGS) $(YAML_CFLAGS)
bench_daemon_LDADD = $(UV_LIBS) $(YAML_LIBS)

bench_hub_SOURCES = \
	bench/engine.c \
	bench/engine.h \
	bench/hub.c \
	bench/measure.c \
	bench/measure.h
bench_hub_LDADD = lib/librouse-core.la $(UV_LIBS)

bench-programs: $(EXTRA_PROGRAMS)
bench: bench-programs
	bench/attach
	bench/hub $(BENCH_FLAGS)
	bench/daemon $(BENCH_FLAGS)
.PHONY: bench bench-programs
