# tests: control

TESTS_CONTROL = \
	tests/test-control \
	tests/test-control-clients \
	tests/test-control-crowd \
	tests/test-control-describe \
	tests/test-control-runs \
	tests/test-control-send \
	tests/test-control-watch \
	tests/test-glob \
	tests/test-json \
	tests/test-registry \
	tests/test-rpc \
	tests/test-rpc-waits \
	tests/test-sentence \
	tests/test-stream \
	tests/test-stream-limits \
	tests/test-surplus \
	tests/test-unread
check_PROGRAMS += $(TESTS_CONTROL)
TESTS += $(TESTS_CONTROL)

CONTROL_FIXTURE = tests/control-fixture.c tests/control-fixture.h \
	tests/stand-in.c tests/stand-in.h
CONTROL_CLIENTS = $(CONTROL_FIXTURE) tests/control-clients.c tests/control-clients.h
CONTROL_TALK = $(CONTROL_FIXTURE) tests/control-talk.c tests/control-talk.h
RPC_TALK = tests/rpc-methods.c tests/rpc-methods.h tests/rpc-talk.c tests/rpc-talk.h
STREAM_FIXTURE = tests/stream-fixture.c tests/stream-fixture.h

tests_test_control_SOURCES = tests/test-control.c $(CONTROL_TALK)
tests_test_control_CFLAGS = $(CFLAGS_TEST)
tests_test_control_LDADD = $(LDADD_DAEMON)

tests_test_control_clients_SOURCES = tests/test-control-clients.c $(CONTROL_CLIENTS)
tests_test_control_clients_CFLAGS = $(CFLAGS_TEST)
tests_test_control_clients_LDADD = $(LDADD_DAEMON)

tests_test_control_crowd_SOURCES = tests/test-control-crowd.c $(CONTROL_CLIENTS)
tests_test_control_crowd_CFLAGS = $(CFLAGS_TEST)
tests_test_control_crowd_LDADD = $(LDADD_DAEMON)

tests_test_control_describe_SOURCES = tests/test-control-describe.c $(CONTROL_TALK)
tests_test_control_describe_CFLAGS = $(CFLAGS_TEST)
tests_test_control_describe_LDADD = $(LDADD_DAEMON)

tests_test_control_runs_SOURCES = tests/test-control-runs.c $(CONTROL_FIXTURE)
tests_test_control_runs_CFLAGS = $(CFLAGS_TEST)
tests_test_control_runs_LDADD = $(LDADD_DAEMON)

tests_test_control_send_SOURCES = tests/test-control-send.c $(CONTROL_TALK)
tests_test_control_send_CFLAGS = $(CFLAGS_TEST)
tests_test_control_send_LDADD = $(LDADD_DAEMON)

tests_test_control_watch_SOURCES = tests/test-control-watch.c $(CONTROL_CLIENTS)
tests_test_control_watch_CFLAGS = $(CFLAGS_TEST)
tests_test_control_watch_LDADD = $(LDADD_DAEMON)

tests_test_glob_SOURCES = tests/test-glob.c
tests_test_glob_CFLAGS = $(CFLAGS_TEST)
tests_test_glob_LDADD = $(LDADD_DAEMON)

tests_test_json_SOURCES = tests/test-json.c
tests_test_json_CFLAGS = $(CFLAGS_TEST)
tests_test_json_LDADD = $(LDADD_DAEMON)

tests_test_registry_SOURCES = tests/test-registry.c $(CONTROL_FIXTURE)
tests_test_registry_CFLAGS = $(CFLAGS_TEST)
tests_test_registry_LDADD = $(LDADD_DAEMON)

tests_test_rpc_SOURCES = tests/test-rpc.c $(RPC_TALK)
tests_test_rpc_CFLAGS = $(CFLAGS_TEST)
tests_test_rpc_LDADD = $(LDADD_DAEMON)

tests_test_rpc_waits_SOURCES = tests/test-rpc-waits.c $(RPC_TALK)
tests_test_rpc_waits_CFLAGS = $(CFLAGS_TEST)
tests_test_rpc_waits_LDADD = $(LDADD_DAEMON)

tests_test_sentence_SOURCES = tests/test-sentence.c
tests_test_sentence_CFLAGS = $(CFLAGS_TEST)
tests_test_sentence_LDADD = $(LDADD_DAEMON)

tests_test_stream_SOURCES = tests/test-stream.c $(STREAM_FIXTURE)
tests_test_stream_CFLAGS = $(CFLAGS_TEST)
tests_test_stream_LDADD = $(LDADD_DAEMON)

tests_test_stream_limits_SOURCES = tests/test-stream-limits.c $(STREAM_FIXTURE)
tests_test_stream_limits_CFLAGS = $(CFLAGS_TEST)
tests_test_stream_limits_LDADD = $(LDADD_DAEMON)

# Replays doc/protocol.md against the real daemon.

check_PROGRAMS += tests/test-protocol
TESTS += tests/test-protocol
tests_test_protocol_SOURCES = tests/test-protocol.c
tests_test_protocol_CFLAGS = $(CFLAGS_TEST)
tests_test_protocol_LDADD = $(LDADD_LIB)

# Fuzz targets: built here with a main program that replays the corpus. For fuzzing, build them with
# clang, `--enable-sanitizer=address,undefined,fuzzer-no-link` and LDFLAGS=-fsanitize=fuzzer.

FUZZ_CONTROL = tests/fuzz-rpc
check_PROGRAMS += $(FUZZ_CONTROL)
TESTS += $(FUZZ_CONTROL)

tests_fuzz_rpc_SOURCES = tests/fuzz-rpc.c tests/fuzz-replay.c tests/fuzz.h \
	tests/rpc-methods.c tests/rpc-methods.h
tests_fuzz_rpc_CFLAGS = $(CFLAGS_TEST)
tests_fuzz_rpc_LDADD = $(LDADD_DAEMON)
EXTRA_DIST += \
	tests/corpus-rpc/batches \
	tests/corpus-rpc/deep \
	tests/corpus-rpc/escapes \
	tests/corpus-rpc/later \
	tests/corpus-rpc/odd \
	tests/corpus-rpc/spec \
	tests/corpus-rpc/types

tests_test_unread_SOURCES = tests/test-unread.c
tests_test_unread_CFLAGS = $(CFLAGS_TEST)
tests_test_unread_LDADD = $(LDADD_DAEMON)

tests_test_surplus_CFLAGS = $(CFLAGS_TEST)
tests_test_surplus_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=malloc_trim
tests_test_surplus_LDADD = $(LDADD_DAEMON)
