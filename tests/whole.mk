# tests: whole

check_PROGRAMS += tests/test-notify tests/test-sockets
TESTS += tests/test-notify tests/test-sockets

tests_test_notify_CFLAGS = $(CFLAGS_TEST)
tests_test_notify_LDADD = $(LDADD_DAEMON)
tests_test_sockets_CFLAGS = $(CFLAGS_TEST)
tests_test_sockets_LDADD = $(LDADD_DAEMON)

# Under a systemd

AM_TESTS_ENVIRONMENT += ROUSE_SYSCONFDIR='$(sysconfdir)'; export ROUSE_SYSCONFDIR;
dist_check_SCRIPTS += tests/systemd/test-systemd.sh tests/systemd/under-systemd.sh
TESTS += tests/systemd/test-systemd.sh
