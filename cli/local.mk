# rouse, the shell's side. Tests call verbs without the program.

noinst_LTLIBRARIES += cli/libverbs.la
cli_libverbs_la_CPPFLAGS = $(AM_CPPFLAGS) -DROUSE_SBINDIR='"$(sbindir)"'
cli_libverbs_la_SOURCES = \
	cli/arguments.c \
	cli/arguments.h \
	cli/cell.c \
	cli/cell.h \
	cli/complaint.c \
	cli/complaint.h \
	cli/exit-code.h \
	cli/help.c \
	cli/help.h \
	cli/human.c \
	cli/human.h \
	cli/message.c \
	cli/message.h \
	cli/number.c \
	cli/number.h \
	cli/output.c \
	cli/output.h \
	cli/result.c \
	cli/result.h \
	cli/send-control.c \
	cli/send-control.h \
	cli/session.c \
	cli/session.h \
	cli/top-picture.c \
	cli/top-picture.h \
	cli/top-table.c \
	cli/top-table.h \
	cli/verb-call.c \
	cli/verb-check.c \
	cli/verb-handle.c \
	cli/verb-help.c \
	cli/verb-list.c \
	cli/verb-reload.c \
	cli/verb-runs.c \
	cli/verb-send.c \
	cli/verb-stats.c \
	cli/verb-status.c \
	cli/verb-top.c \
	cli/verb-wait.c \
	cli/verb-watch.c \
	cli/verb.h \
	cli/verbs.c \
	cli/verbs.h \
	cli/watch-exec.c \
	cli/watch-exec.h
cli_libverbs_la_LIBADD = lib/librouse-client-core.la lib/libtext.la

bin_PROGRAMS += cli/rouse
cli_rouse_SOURCES = cli/main.c
cli_rouse_LDADD = cli/libverbs.la
if STATIC_CLI
cli_rouse_LDFLAGS = $(AM_LDFLAGS) -all-static
endif

bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = cli/rouse.bash
