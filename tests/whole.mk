# tests: whole

whole_tests = \
	tests/test-idle \
	tests/test-log \
	tests/test-notify \
	tests/test-policies \
	tests/test-policies-group \
	tests/test-poke \
	tests/test-promise \
	tests/test-roused \
	tests/test-roused-shortage \
	tests/test-run-lives \
	tests/test-sockets \
	tests/test-sockets-handed-over
check_PROGRAMS += $(whole_tests)
TESTS += $(whole_tests)

tests_test_idle_CFLAGS = $(CFLAGS_TEST)
tests_test_idle_LDADD = $(LDADD_LIB)
tests_test_log_CFLAGS = $(CFLAGS_TEST)
tests_test_log_LDADD = $(LDADD_DAEMON)
tests_test_notify_CFLAGS = $(CFLAGS_TEST)
tests_test_notify_LDADD = $(LDADD_DAEMON)
RUN_NOTES = tests/run-notes.c tests/run-notes.h
tests_test_policies_SOURCES = tests/test-policies.c $(RUN_NOTES)
tests_test_policies_CFLAGS = $(CFLAGS_TEST)
tests_test_policies_LDADD = $(LDADD_LIB)
tests_test_policies_group_SOURCES = tests/test-policies-group.c $(RUN_NOTES)
tests_test_policies_group_CFLAGS = $(CFLAGS_TEST)
tests_test_policies_group_LDADD = $(LDADD_LIB)
tests_test_poke_CFLAGS = $(CFLAGS_TEST)
tests_test_poke_LDADD = $(LDADD_LIB)
tests_test_promise_CFLAGS = $(CFLAGS_TEST)
tests_test_promise_LDADD = $(LDADD_LIB)
tests_test_roused_CFLAGS = $(CFLAGS_TEST)
tests_test_roused_LDADD = $(LDADD_LIB)
tests_test_roused_shortage_CFLAGS = $(CFLAGS_TEST)
tests_test_roused_shortage_LDADD = $(LDADD_LIB)
tests_test_run_lives_SOURCES = tests/test-run-lives.c $(RUN_NOTES)
tests_test_run_lives_CFLAGS = $(CFLAGS_TEST)
tests_test_run_lives_LDADD = $(LDADD_LIB)
tests_test_sockets_CFLAGS = $(CFLAGS_TEST)
tests_test_sockets_LDADD = $(LDADD_DAEMON)
tests_test_sockets_handed_over_CFLAGS = $(CFLAGS_TEST)
tests_test_sockets_handed_over_LDADD = $(LDADD_DAEMON)

# Under a systemd

AM_TESTS_ENVIRONMENT += ROUSE_SYSCONFDIR='$(sysconfdir)'; export ROUSE_SYSCONFDIR;
dist_check_SCRIPTS += tests/systemd/test-systemd.sh tests/systemd/under-systemd.sh
TESTS += tests/systemd/test-systemd.sh

# The recipes, as they are printed

dist_check_SCRIPTS += tests/test-recipes.sh
TESTS += tests/test-recipes.sh
EXTRA_DIST += tests/with-roused.sh

# For ./dev tsan

EXTRA_DIST += tests/tsan.supp
