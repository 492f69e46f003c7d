conf_tests = \
	tests/test-conf-schema \
	tests/test-conf-yaml \
	tests/test-suggest \
	tests/test-timespan

check_PROGRAMS += $(conf_tests)
TESTS += $(conf_tests)

tests_test_conf_schema_SOURCES = tests/test-conf-schema.c \
	tests/conf-support.c tests/conf-support.h
tests_test_conf_schema_CFLAGS = $(CFLAGS_TEST)
tests_test_conf_schema_LDADD = $(LDADD_DAEMON)

tests_test_conf_yaml_SOURCES = tests/test-conf-yaml.c tests/conf-support.c tests/conf-support.h
tests_test_conf_yaml_CFLAGS = $(CFLAGS_TEST)
tests_test_conf_yaml_LDADD = $(LDADD_DAEMON)

tests_test_suggest_SOURCES = tests/test-suggest.c
tests_test_suggest_CFLAGS = $(CFLAGS_TEST)
tests_test_suggest_LDADD = $(LDADD_DAEMON)

tests_test_timespan_SOURCES = tests/test-timespan.c
tests_test_timespan_CFLAGS = $(CFLAGS_TEST)
tests_test_timespan_LDADD = $(LDADD_DAEMON)
