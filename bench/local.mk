# bench

noinst_PROGRAMS += bench/cli-spawn
bench_cli_spawn_SOURCES = bench/cli-spawn.c
