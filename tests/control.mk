# tests: control

TESTS_CONTROL = tests/test-control tests/test-control-clients tests/test-control-runs \
	tests/test-glob tests/test-json tests/test-rpc tests/test-sentence tests/test-stream
check_PROGRAMS += $(TESTS_CONTROL)
TESTS += $(TESTS_CONTROL)

CONTROL_FIXTURE = tests/control-fixture.c tests/control-fixture.h

tests_test_control_SOURCES = tests/test-control.c $(CONTROL_FIXTURE)
tests_test_control_CFLAGS = $(CFLAGS_TEST)
tests_test_control_LDADD = $(LDADD_DAEMON)

tests_test_control_clients_SOURCES = tests/test-control-clients.c $(CONTROL_FIXTURE)
tests_test_control_clients_CFLAGS = $(CFLAGS_TEST)
tests_test_control_clients_LDADD = $(LDADD_DAEMON)

tests_test_control_runs_SOURCES = tests/test-control-runs.c $(CONTROL_FIXTURE)
tests_test_control_runs_CFLAGS = $(CFLAGS_TEST)
tests_test_control_runs_LDADD = $(LDADD_DAEMON)

tests_test_glob_SOURCES = tests/test-glob.c
tests_test_glob_CFLAGS = $(CFLAGS_TEST)
tests_test_glob_LDADD = $(LDADD_DAEMON)

tests_test_json_SOURCES = tests/test-json.c
tests_test_json_CFLAGS = $(CFLAGS_TEST)
tests_test_json_LDADD = $(LDADD_DAEMON)

tests_test_rpc_SOURCES = tests/test-rpc.c tests/rpc-methods.c tests/rpc-methods.h
tests_test_rpc_CFLAGS = $(CFLAGS_TEST)
tests_test_rpc_LDADD = $(LDADD_DAEMON)

tests_test_sentence_SOURCES = tests/test-sentence.c
tests_test_sentence_CFLAGS = $(CFLAGS_TEST)
tests_test_sentence_LDADD = $(LDADD_DAEMON)

tests_test_stream_SOURCES = tests/test-stream.c
tests_test_stream_CFLAGS = $(CFLAGS_TEST)
tests_test_stream_LDADD = $(LDADD_DAEMON)

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
