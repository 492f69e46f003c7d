# tests: sources. Some look at what is logged: the linker sends it to log-recorder.c.

LDFLAGS_RECORDER = $(AM_LDFLAGS) -Wl,--wrap=log_write
RECORDER = tests/log-recorder.c tests/log-recorder.h

check_PROGRAMS += tests/test-cron tests/test-mailbox tests/test-watch tests/test-worker
TESTS += tests/test-cron tests/test-mailbox tests/test-watch tests/test-worker

tests_test_cron_CFLAGS = $(CFLAGS_TEST)
tests_test_cron_LDADD = $(LDADD_DAEMON)
tests_test_mailbox_CFLAGS = $(CFLAGS_TEST)
tests_test_mailbox_LDADD = $(LDADD_DAEMON)
tests_test_watch_SOURCES = tests/test-watch.c $(RECORDER)
tests_test_watch_CFLAGS = $(CFLAGS_TEST)
tests_test_watch_LDFLAGS = $(LDFLAGS_RECORDER)
tests_test_watch_LDADD = $(LDADD_DAEMON)
tests_test_worker_SOURCES = tests/test-worker.c $(RECORDER)
tests_test_worker_CFLAGS = $(CFLAGS_TEST)
tests_test_worker_LDFLAGS = $(LDFLAGS_RECORDER)
tests_test_worker_LDADD = $(LDADD_DAEMON)
