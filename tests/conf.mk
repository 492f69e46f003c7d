conf_tests = \
	tests/test-suggest \
	tests/test-timespan

check_PROGRAMS += $(conf_tests)
TESTS += $(conf_tests)

tests_test_suggest_SOURCES = tests/test-suggest.c
tests_test_suggest_CFLAGS = $(CFLAGS_TEST)
tests_test_suggest_LDADD = $(LDADD_DAEMON)

tests_test_timespan_SOURCES = tests/test-timespan.c
tests_test_timespan_CFLAGS = $(CFLAGS_TEST)
tests_test_timespan_LDADD = $(LDADD_DAEMON)
