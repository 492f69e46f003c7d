# tests: handles, wakes and runs

HANDLE_TESTS = \
	tests/test-deadline \
	tests/test-exec \
	tests/test-gate \
	tests/test-histogram \
	tests/test-ledger \
	tests/test-runner \
	tests/test-seqfile
check_PROGRAMS += $(HANDLE_TESTS)
TESTS += $(HANDLE_TESTS)

tests_test_deadline_CFLAGS = $(CFLAGS_TEST)
tests_test_deadline_LDADD = $(LDADD_DAEMON)
tests_test_exec_CFLAGS = $(CFLAGS_TEST)
tests_test_exec_LDADD = $(LDADD_DAEMON)
tests_test_gate_CFLAGS = $(CFLAGS_TEST)
tests_test_gate_LDADD = $(LDADD_DAEMON)
tests_test_histogram_CFLAGS = $(CFLAGS_TEST)
tests_test_histogram_LDADD = $(LDADD_DAEMON)
tests_test_runner_CFLAGS = $(CFLAGS_TEST)
tests_test_runner_LDADD = $(LDADD_DAEMON)
tests_test_seqfile_CFLAGS = $(CFLAGS_TEST)
tests_test_seqfile_LDADD = $(LDADD_DAEMON)
tests_test_ledger_CFLAGS = $(CFLAGS_TEST)
tests_test_ledger_LDADD = $(LDADD_DAEMON)
