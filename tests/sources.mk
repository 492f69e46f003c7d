# tests: sources. Some look at what is logged: the linker sends it to log-recorder.c.

SOURCES_TESTS = tests/test-cron \
	tests/test-cron-parse \
	tests/test-mailbox \
	tests/test-source-cron \
	tests/test-source-fifo \
	tests/test-source-fifo-end \
	tests/test-watch \
	tests/test-watch-trouble \
	tests/test-worker \
	tests/test-worker-change
check_PROGRAMS += $(SOURCES_TESTS)
TESTS += $(SOURCES_TESTS)

LDFLAGS_RECORDER = $(AM_LDFLAGS) -Wl,--wrap=log_write
RECORDER = tests/log-recorder.c tests/log-recorder.h
WATCH_FIXTURE = tests/watch-fixture.c tests/watch-fixture.h $(RECORDER)
WORKER_FIXTURE = tests/worker-fixture.c tests/worker-fixture.h $(RECORDER)

tests_test_cron_SOURCES = tests/test-cron.c tests/cron-must-parse.h
tests_test_cron_CFLAGS = $(CFLAGS_TEST)
tests_test_cron_LDADD = $(LDADD_DAEMON)
tests_test_cron_parse_SOURCES = tests/test-cron-parse.c tests/cron-must-parse.h
tests_test_cron_parse_CFLAGS = $(CFLAGS_TEST)
tests_test_cron_parse_LDADD = $(LDADD_DAEMON)
tests_test_mailbox_CFLAGS = $(CFLAGS_TEST)
tests_test_mailbox_LDADD = $(LDADD_DAEMON)
tests_test_source_cron_CFLAGS = $(CFLAGS_TEST)
tests_test_source_cron_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_gettime \
	-Wl,--wrap=timerfd_settime -Wl,--wrap=read
tests_test_source_cron_LDADD = $(LDADD_DAEMON)
tests_test_source_fifo_SOURCES = tests/test-source-fifo.c $(WORKER_FIXTURE)
tests_test_source_fifo_CFLAGS = $(CFLAGS_TEST)
tests_test_source_fifo_LDFLAGS = $(LDFLAGS_RECORDER)
tests_test_source_fifo_LDADD = $(LDADD_DAEMON)
tests_test_source_fifo_end_SOURCES = tests/test-source-fifo-end.c $(WORKER_FIXTURE)
tests_test_source_fifo_end_CFLAGS = $(CFLAGS_TEST)
tests_test_source_fifo_end_LDFLAGS = $(LDFLAGS_RECORDER)
tests_test_source_fifo_end_LDADD = $(LDADD_DAEMON)
tests_test_watch_SOURCES = tests/test-watch.c $(WATCH_FIXTURE)
tests_test_watch_CFLAGS = $(CFLAGS_TEST)
tests_test_watch_LDFLAGS = $(LDFLAGS_RECORDER)
tests_test_watch_LDADD = $(LDADD_DAEMON)
tests_test_watch_trouble_SOURCES = tests/test-watch-trouble.c $(WATCH_FIXTURE)
tests_test_watch_trouble_CFLAGS = $(CFLAGS_TEST)
tests_test_watch_trouble_LDFLAGS = $(LDFLAGS_RECORDER)
tests_test_watch_trouble_LDADD = $(LDADD_DAEMON)
tests_test_worker_SOURCES = tests/test-worker.c $(WORKER_FIXTURE)
tests_test_worker_CFLAGS = $(CFLAGS_TEST)
tests_test_worker_LDFLAGS = $(LDFLAGS_RECORDER)
tests_test_worker_LDADD = $(LDADD_DAEMON)
tests_test_worker_change_SOURCES = tests/test-worker-change.c $(WORKER_FIXTURE)
tests_test_worker_change_CFLAGS = $(CFLAGS_TEST)
tests_test_worker_change_LDFLAGS = $(LDFLAGS_RECORDER) -Wl,--wrap=inotify_add_watch \
	-Wl,--wrap=inotify_rm_watch -Wl,--wrap=mkfifo
tests_test_worker_change_LDADD = $(LDADD_DAEMON)
