check_LTLIBRARIES += tests/libhubfixture.la
tests_libhubfixture_la_SOURCES = tests/hub-fixture.c tests/hub-fixture.h
tests_libhubfixture_la_CFLAGS = $(CFLAGS_TEST)
LDADD_HUB = tests/libhubfixture.la $(LDADD_LIB)

lib_tests = \
	tests/test-deadline-poll \
	tests/test-doorbell-model \
	tests/test-hub \
	tests/test-hub-crowd \
	tests/test-hub-litmus \
	tests/test-hub-lives \
	tests/test-hub-loopside \
	tests/test-hub-signal \
	tests/test-hub-step \
	tests/test-hub-stress \
	tests/test-latency \
	tests/test-names \
	tests/test-pool \
	tests/test-truth-table
check_PROGRAMS += $(lib_tests)
TESTS += $(lib_tests)

MODEL = tests/model.c tests/model.h
tests_test_doorbell_model_SOURCES = tests/test-doorbell-model.c $(MODEL)
tests_test_doorbell_model_CFLAGS = $(CFLAGS_TEST)
tests_test_doorbell_model_LDADD = $(LDADD_LIB)

tests_test_deadline_poll_SOURCES = tests/test-deadline-poll.c
tests_test_deadline_poll_CFLAGS = $(CFLAGS_TEST)
tests_test_deadline_poll_LDADD = lib/libcommon.la $(LDADD_LIB)

tests_test_hub_SOURCES = tests/test-hub.c
tests_test_hub_CFLAGS = $(CFLAGS_TEST)
tests_test_hub_LDADD = $(LDADD_HUB)

tests_test_hub_litmus_SOURCES = tests/test-hub-litmus.c
tests_test_hub_litmus_CFLAGS = $(CFLAGS_TEST)
tests_test_hub_litmus_LDADD = $(LDADD_HUB)

tests_test_hub_lives_SOURCES = tests/test-hub-lives.c
tests_test_hub_lives_CFLAGS = $(CFLAGS_TEST)
tests_test_hub_lives_LDADD = $(LDADD_HUB)

tests_test_hub_crowd_SOURCES = tests/test-hub-crowd.c
tests_test_hub_crowd_CFLAGS = $(CFLAGS_TEST)
tests_test_hub_crowd_LDADD = $(LDADD_HUB)

tests_test_hub_loopside_SOURCES = tests/test-hub-loopside.c
tests_test_hub_loopside_CFLAGS = $(CFLAGS_TEST)
tests_test_hub_loopside_LDADD = $(LDADD_HUB)

tests_test_hub_signal_SOURCES = tests/test-hub-signal.c
tests_test_hub_signal_CFLAGS = $(CFLAGS_TEST)
tests_test_hub_signal_LDADD = $(LDADD_HUB)

tests_test_hub_step_SOURCES = tests/test-hub-step.c
tests_test_hub_step_CFLAGS = $(CFLAGS_TEST)
tests_test_hub_step_LDADD = $(LDADD_HUB)

tests_test_hub_stress_SOURCES = tests/test-hub-stress.c
tests_test_hub_stress_CFLAGS = $(CFLAGS_TEST)
tests_test_hub_stress_LDADD = $(LDADD_HUB)

tests_test_latency_SOURCES = tests/test-latency.c
tests_test_latency_CFLAGS = $(CFLAGS_TEST)
tests_test_latency_LDADD = $(LDADD_LIB)

tests_test_names_SOURCES = tests/test-names.c
tests_test_names_CFLAGS = $(CFLAGS_TEST)
tests_test_names_LDADD = $(LDADD_HUB)

tests_test_pool_SOURCES = tests/test-pool.c
tests_test_pool_CFLAGS = $(CFLAGS_TEST)
tests_test_pool_LDADD = $(LDADD_HUB)

tests_test_truth_table_SOURCES = tests/test-truth-table.c
tests_test_truth_table_CFLAGS = $(CFLAGS_TEST)
tests_test_truth_table_LDADD = $(LDADD_HUB)

# The libraries from outside

AM_TESTS_ENVIRONMENT += CC='$(CC)'; CFLAGS='$(CFLAGS)'; UV_CFLAGS='$(UV_CFLAGS)'; \
	UV_LIBS='$(UV_LIBS)'; export CC CFLAGS UV_CFLAGS UV_LIBS;
dist_check_SCRIPTS += tests/test-install.sh tests/test-symbols.sh
TESTS += tests/test-install.sh tests/test-symbols.sh
EXTRA_DIST += tests/installed.sh
