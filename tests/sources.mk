# tests: sources

check_PROGRAMS += tests/test-cron tests/test-mailbox
TESTS += tests/test-cron tests/test-mailbox

tests_test_cron_CFLAGS = $(CFLAGS_TEST)
tests_test_cron_LDADD = $(LDADD_DAEMON)
tests_test_mailbox_CFLAGS = $(CFLAGS_TEST)
tests_test_mailbox_LDADD = $(LDADD_DAEMON)
