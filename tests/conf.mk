conf_tests = \
	tests/test-access \
	tests/test-conf-schema \
	tests/test-conf-yaml \
	tests/test-configuration \
	tests/test-configuration-memory \
	tests/test-peer \
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

tests_test_configuration_SOURCES = tests/test-configuration.c tests/fake-kinds.c \
	tests/conf-support.c tests/conf-support.h
tests_test_configuration_CFLAGS = $(CFLAGS_TEST)
tests_test_configuration_LDADD = $(LDADD_DAEMON)

# Calls of the daemon's objects go through the test, which lets them fail.
tests_test_configuration_memory_SOURCES = tests/test-configuration-memory.c tests/fake-kinds.c
tests_test_configuration_memory_CFLAGS = $(CFLAGS_TEST)
tests_test_configuration_memory_LDADD = $(LDADD_DAEMON)
tests_test_configuration_memory_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=reallocarray,--wrap=mmap \
	-Wl,--wrap=strdup,--wrap=strndup,--wrap=asprintf,--wrap=__asprintf_chk \
	-Wl,--wrap=open_memstream

tests_test_access_SOURCES = tests/test-access.c tests/conf-support.c tests/conf-support.h
tests_test_access_CFLAGS = $(CFLAGS_TEST)
tests_test_access_LDADD = $(LDADD_DAEMON)

tests_test_peer_SOURCES = tests/test-peer.c
tests_test_peer_CFLAGS = $(CFLAGS_TEST)
tests_test_peer_LDADD = $(LDADD_DAEMON)
