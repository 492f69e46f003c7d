conf_tests = \
	tests/fuzz-configuration \
	tests/test-access \
	tests/test-conf-policy \
	tests/test-conf-pool \
	tests/test-conf-schema \
	tests/test-conf-yaml \
	tests/test-configuration \
	tests/test-configuration-errors \
	tests/test-configuration-files \
	tests/test-configuration-memory \
	tests/test-examples \
	tests/test-peer \
	tests/test-peer-cache \
	tests/test-suggest \
	tests/test-timespan

check_PROGRAMS += $(conf_tests)
TESTS += $(conf_tests)

tests_test_conf_pool_CFLAGS = $(CFLAGS_TEST)
tests_test_conf_pool_LDADD = $(LDADD_DAEMON)

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

configuration_fixture = tests/conf-support.c tests/conf-support.h \
	tests/configuration-fixture.c tests/configuration-fixture.h

tests_test_configuration_SOURCES = tests/test-configuration.c $(configuration_fixture)
tests_test_configuration_CFLAGS = $(CFLAGS_TEST)
tests_test_configuration_LDADD = $(LDADD_DAEMON)

tests_test_conf_policy_SOURCES = tests/test-conf-policy.c $(configuration_fixture)
tests_test_conf_policy_CFLAGS = $(CFLAGS_TEST)
tests_test_conf_policy_LDADD = $(LDADD_DAEMON)

tests_test_configuration_errors_SOURCES = tests/test-configuration-errors.c \
	$(configuration_fixture)
tests_test_configuration_errors_CFLAGS = $(CFLAGS_TEST)
tests_test_configuration_errors_LDADD = $(LDADD_DAEMON)

tests_test_configuration_files_SOURCES = tests/test-configuration-files.c \
	tests/conf-support.c tests/conf-support.h
tests_test_configuration_files_CFLAGS = $(CFLAGS_TEST)
tests_test_configuration_files_LDADD = $(LDADD_DAEMON)

tests_test_examples_SOURCES = tests/test-examples.c tests/conf-support.c tests/conf-support.h
tests_test_examples_CFLAGS = $(CFLAGS_TEST)
tests_test_examples_LDADD = $(LDADD_DAEMON)

# Calls of the daemon's objects go through the test, which lets them fail.
tests_test_configuration_memory_CFLAGS = $(CFLAGS_TEST)
tests_test_configuration_memory_LDADD = $(LDADD_DAEMON)
tests_test_configuration_memory_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=reallocarray,--wrap=mmap \
	-Wl,--wrap=strdup,--wrap=strndup,--wrap=asprintf,--wrap=__asprintf_chk \
	-Wl,--wrap=open_memstream,--wrap=getgrouplist \
	-Wl,--wrap=conf_arena_alloc,--wrap=conf_arena_strndup

tests_test_access_SOURCES = tests/test-access.c tests/conf-support.c tests/conf-support.h
tests_test_access_CFLAGS = $(CFLAGS_TEST)
tests_test_access_LDADD = $(LDADD_DAEMON)

tests_test_peer_SOURCES = tests/test-peer.c
tests_test_peer_CFLAGS = $(CFLAGS_TEST)
tests_test_peer_LDADD = $(LDADD_DAEMON)
tests_test_peer_cache_SOURCES = tests/test-peer-cache.c tests/log-recorder.c tests/log-recorder.h
tests_test_peer_cache_CFLAGS = $(CFLAGS_TEST)
tests_test_peer_cache_LDFLAGS = $(LDFLAGS_RECORDER)
tests_test_peer_cache_LDADD = $(LDADD_DAEMON)

tests_fuzz_configuration_SOURCES = tests/fuzz-configuration.c
tests_fuzz_configuration_CFLAGS = $(AM_CFLAGS)
tests_fuzz_configuration_LDADD = $(LDADD_DAEMON)

# The corpus: files, and beside each what it gives.
EXTRA_DIST += $(conf_corpus) $(conf_corpus:.yaml=.expected)
conf_corpus = \
	tests/conf/anchors.yaml \
	tests/conf/block-scalars.yaml \
	tests/conf/byte-order-mark.yaml \
	tests/conf/comment-only.yaml \
	tests/conf/crlf.yaml \
	tests/conf/cut-off.yaml \
	tests/conf/cycles.yaml \
	tests/conf/empty-items.yaml \
	tests/conf/empty-list.yaml \
	tests/conf/empty.yaml \
	tests/conf/escapes.yaml \
	tests/conf/everything.yaml \
	tests/conf/flow-style.yaml \
	tests/conf/keys-that-are-lists.yaml \
	tests/conf/laughs.yaml \
	tests/conf/lost-word.yaml \
	tests/conf/many-mistakes.yaml \
	tests/conf/no-colon.yaml \
	tests/conf/not-utf8.yaml \
	tests/conf/nul-byte.yaml \
	tests/conf/open-list.yaml \
	tests/conf/open-quote.yaml \
	tests/conf/policies.yaml \
	tests/conf/policies-that-cannot-be.yaml \
	tests/conf/scalar.yaml \
	tests/conf/section-as-key.yaml \
	tests/conf/self-alias.yaml \
	tests/conf/tab.yaml \
	tests/conf/timespans.yaml \
	tests/conf/too-deep.yaml \
	tests/conf/two-actions.yaml \
	tests/conf/two-documents.yaml \
	tests/conf/unquoted-at.yaml \
	tests/conf/unquoted-star.yaml \
	tests/conf/utf16.yaml \
	tests/conf/yaml-version.yaml
