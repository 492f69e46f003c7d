# tests: whole

check_PROGRAMS += tests/test-notify
TESTS += tests/test-notify

tests_test_notify_CFLAGS = $(CFLAGS_TEST)
tests_test_notify_LDADD = $(LDADD_DAEMON)
