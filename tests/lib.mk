check_LTLIBRARIES += tests/libhubfixture.la
tests_libhubfixture_la_SOURCES = tests/hub-fixture.c tests/hub-fixture.h
tests_libhubfixture_la_CFLAGS = $(CFLAGS_TEST)
LDADD_HUB = tests/libhubfixture.la $(LDADD_LIB)

lib_tests = tests/test-truth-table
check_PROGRAMS += $(lib_tests)
TESTS += $(lib_tests)

tests_test_truth_table_SOURCES = tests/test-truth-table.c
tests_test_truth_table_CFLAGS = $(CFLAGS_TEST)
tests_test_truth_table_LDADD = $(LDADD_HUB)
