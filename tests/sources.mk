# tests: sources

check_PROGRAMS += tests/test-cron
TESTS += tests/test-cron
tests_test_cron_CFLAGS = $(CFLAGS_TEST)
tests_test_cron_LDADD = $(LDADD_DAEMON)
