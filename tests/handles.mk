# tests: handles, wakes and runs

HANDLE_TESTS = \
	tests/test-command \
	tests/test-deadline \
	tests/test-exec \
	tests/test-fork-limit \
	tests/test-gate \
	tests/test-group \
	tests/test-histogram \
	tests/test-key-hash \
	tests/test-keys \
	tests/test-keyset \
	tests/test-ledger \
	tests/test-orphans \
	tests/test-run-options \
	tests/test-runner \
	tests/test-seqfile \
	tests/test-sketch \
	tests/test-tails \
	tests/test-wake-ways
check_PROGRAMS += $(HANDLE_TESTS)
TESTS += $(HANDLE_TESTS)

tests_test_command_CFLAGS = $(CFLAGS_TEST)
tests_test_command_LDADD = $(LDADD_DAEMON)
tests_test_deadline_CFLAGS = $(CFLAGS_TEST)
tests_test_deadline_LDADD = $(LDADD_DAEMON)
tests_test_exec_CFLAGS = $(CFLAGS_TEST)
tests_test_exec_LDADD = $(LDADD_DAEMON)
tests_test_fork_limit_CFLAGS = $(CFLAGS_TEST)
tests_test_fork_limit_LDADD = $(LDADD_LIB)
tests_test_gate_CFLAGS = $(CFLAGS_TEST)
tests_test_gate_LDADD = $(LDADD_DAEMON)
tests_test_histogram_CFLAGS = $(CFLAGS_TEST)
tests_test_histogram_LDADD = $(LDADD_DAEMON)
tests_test_runner_CFLAGS = $(CFLAGS_TEST)
tests_test_runner_LDADD = $(LDADD_DAEMON)
tests_test_seqfile_CFLAGS = $(CFLAGS_TEST)
tests_test_seqfile_LDADD = $(LDADD_DAEMON)
tests_test_group_CFLAGS = $(CFLAGS_TEST)
tests_test_group_LDADD = $(LDADD_DAEMON)
tests_test_keys_CFLAGS = $(CFLAGS_TEST)
tests_test_keys_LDADD = $(LDADD_DAEMON)
tests_test_key_hash_CFLAGS = $(CFLAGS_TEST)
tests_test_key_hash_LDADD = $(LDADD_DAEMON)
tests_test_keyset_CFLAGS = $(CFLAGS_TEST)
tests_test_keyset_LDADD = $(LDADD_DAEMON)
tests_test_orphans_CFLAGS = $(CFLAGS_TEST)
tests_test_orphans_LDADD = $(LDADD_DAEMON)
tests_test_run_options_CFLAGS = $(CFLAGS_TEST)
tests_test_run_options_LDADD = $(LDADD_DAEMON)
tests_test_ledger_CFLAGS = $(CFLAGS_TEST)
tests_test_ledger_LDADD = $(LDADD_DAEMON)
tests_test_sketch_CFLAGS = $(CFLAGS_TEST)
tests_test_sketch_LDADD = $(LDADD_DAEMON)
tests_test_tails_CFLAGS = $(CFLAGS_TEST)
tests_test_tails_LDADD = $(LDADD_DAEMON)
tests_test_wake_ways_SOURCES = tests/test-wake-ways.c $(configuration_fixture)
tests_test_wake_ways_CFLAGS = $(CFLAGS_TEST)
tests_test_wake_ways_LDADD = $(LDADD_DAEMON)
