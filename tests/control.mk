# tests: control

TESTS_CONTROL = tests/test-json
check_PROGRAMS += $(TESTS_CONTROL)
TESTS += $(TESTS_CONTROL)

tests_test_json_SOURCES = tests/test-json.c
tests_test_json_CFLAGS = $(CFLAGS_TEST)
tests_test_json_LDADD = $(LDADD_DAEMON)
