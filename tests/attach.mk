# tests: attach

attach_tests = \
	tests/test-attach-model
check_PROGRAMS += $(attach_tests)
TESTS += $(attach_tests)

tests_test_attach_model_SOURCES = tests/test-attach-model.c tests/model.c tests/model.h
tests_test_attach_model_CFLAGS = $(CFLAGS_TEST)
tests_test_attach_model_LDADD = $(LDADD_LIB)
