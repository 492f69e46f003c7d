# tests: client library and rouse

LDADD_CLIENT = tests/libsupport.la lib/librouse-client-core.la $(CHECK_LIBS)

check_PROGRAMS += tests/test-buffer tests/test-client tests/test-client-call tests/test-json-value
TESTS += tests/test-buffer tests/test-client tests/test-client-call tests/test-json-value

tests_test_buffer_SOURCES = tests/test-buffer.c
tests_test_buffer_CFLAGS = $(CFLAGS_TEST)
tests_test_buffer_LDADD = $(LDADD_CLIENT)

CLIENT_FIXTURE = tests/client-fixture.c tests/client-fixture.h \
	tests/fake-roused.c tests/fake-roused.h

tests_test_client_SOURCES = tests/test-client.c $(CLIENT_FIXTURE)
tests_test_client_CFLAGS = $(CFLAGS_TEST)
tests_test_client_LDADD = $(LDADD_CLIENT)

tests_test_client_call_SOURCES = tests/test-client-call.c $(CLIENT_FIXTURE)
tests_test_client_call_CFLAGS = $(CFLAGS_TEST)
tests_test_client_call_LDADD = $(LDADD_CLIENT)

tests_test_json_value_SOURCES = tests/test-json-value.c
tests_test_json_value_CFLAGS = $(CFLAGS_TEST)
tests_test_json_value_LDADD = $(LDADD_CLIENT)

check_PROGRAMS += tests/test-rouse tests/test-rouse-show
TESTS += tests/test-rouse tests/test-rouse-show

TYPED = tests/fake-roused.c tests/fake-roused.h tests/typed.c tests/typed.h

tests_test_rouse_SOURCES = tests/test-rouse.c $(TYPED)
tests_test_rouse_CFLAGS = $(CFLAGS_TEST)
tests_test_rouse_LDADD = tests/libsupport.la $(CHECK_LIBS)

tests_test_rouse_show_SOURCES = tests/test-rouse-show.c $(TYPED)
tests_test_rouse_show_CFLAGS = $(CFLAGS_TEST)
tests_test_rouse_show_LDADD = tests/libsupport.la $(CHECK_LIBS)

check_PROGRAMS += tests/test-rouse-patience
TESTS += tests/test-rouse-patience

# What the client reads goes through the test, which sees how long it would wait.
tests_test_rouse_patience_SOURCES = tests/test-rouse-patience.c \
	tests/fake-roused.c tests/fake-roused.h
tests_test_rouse_patience_CFLAGS = $(CFLAGS_TEST)
tests_test_rouse_patience_LDADD = tests/libsupport.la cli/libverbs.la $(CHECK_LIBS)
tests_test_rouse_patience_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=rouse__stream_read_line

check_PROGRAMS += tests/test-cell tests/test-top-table
TESTS += tests/test-cell tests/test-top-table

tests_test_cell_CFLAGS = $(CFLAGS_TEST)
tests_test_cell_LDADD = tests/libsupport.la cli/libverbs.la $(CHECK_LIBS)
tests_test_top_table_CFLAGS = $(CFLAGS_TEST)
tests_test_top_table_LDADD = tests/libsupport.la cli/libverbs.la $(CHECK_LIBS)

dist_check_SCRIPTS += tests/test-client-install.sh tests/test-completion.sh
TESTS += tests/test-client-install.sh tests/test-completion.sh

# with the real daemon

check_PROGRAMS += tests/test-rouse-roused tests/test-rouse-runs tests/test-rouse-top
TESTS += tests/test-rouse-roused tests/test-rouse-runs tests/test-rouse-top

tests_test_rouse_top_SOURCES = tests/test-rouse-top.c $(TYPED)
tests_test_rouse_top_CFLAGS = $(CFLAGS_TEST)
tests_test_rouse_top_LDADD = tests/libsupport.la lib/libcommon.la $(CHECK_LIBS)

tests_test_rouse_runs_SOURCES = tests/test-rouse-runs.c $(TYPED)
tests_test_rouse_runs_CFLAGS = $(CFLAGS_TEST)
tests_test_rouse_runs_LDADD = tests/libsupport.la $(CHECK_LIBS)

tests_test_rouse_roused_SOURCES = tests/test-rouse-roused.c tests/typed.c tests/typed.h
tests_test_rouse_roused_CFLAGS = $(CFLAGS_TEST)
tests_test_rouse_roused_LDADD = tests/libsupport.la $(CHECK_LIBS)
