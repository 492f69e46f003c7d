# tests: attach

attach_tests = \
	tests/test-attach \
	tests/test-attach-again-model \
	tests/test-attach-hostile \
	tests/test-attach-model \
	tests/test-attach-reload \
	tests/test-attach-roused \
	tests/test-attach-roused-hostile
check_PROGRAMS += $(attach_tests)
TESTS += $(attach_tests)

ATTACH_FIXTURE = tests/attach-fixture.c tests/attach-fixture.h $(CONTROL_FIXTURE)

tests_test_attach_SOURCES = tests/test-attach.c $(ATTACH_FIXTURE)
tests_test_attach_CFLAGS = $(CFLAGS_TEST)
tests_test_attach_LDADD = $(LDADD_DAEMON)

tests_test_attach_hostile_SOURCES = tests/test-attach-hostile.c $(ATTACH_FIXTURE)
tests_test_attach_hostile_CFLAGS = $(CFLAGS_TEST)
tests_test_attach_hostile_LDADD = $(LDADD_DAEMON)

tests_test_attach_again_model_SOURCES = tests/test-attach-again-model.c $(MODEL)
tests_test_attach_again_model_CFLAGS = $(CFLAGS_TEST)
tests_test_attach_again_model_LDADD = $(LDADD_LIB)

tests_test_attach_model_SOURCES = tests/test-attach-model.c $(MODEL)
tests_test_attach_model_CFLAGS = $(CFLAGS_TEST)
tests_test_attach_model_LDADD = $(LDADD_LIB)

tests_test_attach_reload_SOURCES = tests/test-attach-reload.c $(ATTACH_FIXTURE)
tests_test_attach_reload_CFLAGS = $(CFLAGS_TEST)
tests_test_attach_reload_LDADD = $(LDADD_DAEMON)

ATTACHING_FIXTURE = tests/attaching-fixture.c tests/attaching-fixture.h

tests_test_attach_roused_SOURCES = tests/test-attach-roused.c $(ATTACHING_FIXTURE)
tests_test_attach_roused_CFLAGS = $(CFLAGS_TEST)
tests_test_attach_roused_LDADD = $(LDADD_CLIENT)

tests_test_attach_roused_hostile_SOURCES = tests/test-attach-roused-hostile.c $(ATTACHING_FIXTURE)
tests_test_attach_roused_hostile_CFLAGS = $(CFLAGS_TEST)
tests_test_attach_roused_hostile_LDADD = $(LDADD_CLIENT)

# The examples, as they are installed

dist_check_SCRIPTS += tests/test-example-programs.sh
TESTS += tests/test-example-programs.sh
