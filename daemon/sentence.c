/* Lengths of time rather than points in time: they read the same in every time zone. */

#include "daemon/sentence.h"

#include <stdarg.h>
#include <stdio.h>

#include "daemon/handle.h"
#include "lib/clock.h"
#include "lib/timespan.h"

struct sentence {
        const struct handle_why *why;
        char left[TIMESPAN_TEXT_MAX], since[TIMESPAN_TEXT_MAX], attempt[48];
};

/* A length of time for people: two digits are enough. */
static void round_span(uint64_t ns, char buffer[TIMESPAN_TEXT_MAX]) {
        uint64_t unit = ns < 10 * NS_PER_S ? NS_PER_MS : NS_PER_S;

        if (ns < NS_PER_S)
                ns += unit - 1; /* what is left is never said to be nothing */
        timespan_format(ns / unit * unit, buffer);
}

static void say(char text[SENTENCE_MAX], const char *format, ...)
        __attribute__((format(printf, 2, 3)));

static void say(char text[SENTENCE_MAX], const char *format, ...) {
        va_list args;

        va_start(args, format);
        vsnprintf(text, SENTENCE_MAX, format, args);
        va_end(args);
}

/* A run that could not be started for want of processes or memory is no attempt. */
static void say_backing_off(const struct sentence *sentence, char text[SENTENCE_MAX]) {
        if (sentence->why->attempt == 0)
                say(text, "The run could not be started yet, next try in %s", sentence->left);
        else
                say(text, "%s failed, next in %s", sentence->attempt, sentence->left);
}

static void say_state(const struct sentence *sentence, char text[SENTENCE_MAX]) {
        const struct handle_why *why = sentence->why;
        unsigned long long run_seq = why->run_seq;

        switch (why->state) {
        case HANDLE_IDLE:
                say(text, "Nothing is pending");
                break;
        case HANDLE_PENDING:
                say(text, "It wakes now");
                break;
        case HANDLE_QUIET:
                say(text, "Quiet time: wakes in %s unless more is sent", sentence->left);
                break;
        case HANDLE_INTERVAL:
                say(text, "%s: wakes in %s", why->is_jitter ? "Jitter" : "Minimum interval",
                    sentence->left);
                break;
        case HANDLE_RUNNING:
                say(text, "Run %llu goes on since %s", run_seq, sentence->since);
                break;
        case HANDLE_BEHIND_RUN:
                say(text, "Behind run %llu, which goes on since %s", run_seq, sentence->since);
                break;
        case HANDLE_BACKING_OFF:
                say_backing_off(sentence, text);
                break;
        case HANDLE_FAILED:
                say(text, "%s failed, the next send tries again", sentence->attempt);
                break;
        case HANDLE_PAUSED:
                say(text, "Paused by uid %llu since %s%s%s", (unsigned long long)why->by_uid,
                    sentence->since, why->until_ns ? ", resumes in " : "",
                    why->until_ns ? sentence->left : "");
                break;
        case HANDLE_GROUP_FULL:
                say(text, "Group %s is full: waits for one of its runs to end", why->group ?: "");
                break;
        case HANDLE_CLOSED:
                say(text, "It is closed");
                break;
        case N_HANDLE_STATES:
                text[0] = '\0';
                break;
        }
}

const char *sentence_why(const struct handle_why *why, uint64_t now_ns, int64_t realtime_ms,
                         char text[SENTENCE_MAX]) {
        int64_t ms = realtime_ms - why->since_realtime_ms;
        struct sentence sentence = {.why = why};

        round_span(why->until_ns > now_ns ? why->until_ns - now_ns : 0, sentence.left);
        round_span(ms > 0 ? (uint64_t)ms * NS_PER_MS : 0, sentence.since);
        if (why->attempts)
                snprintf(sentence.attempt, sizeof(sentence.attempt), "Attempt %u of %u",
                         why->attempt, why->attempts);
        else
                snprintf(sentence.attempt, sizeof(sentence.attempt), "Attempt %u", why->attempt);
        say_state(&sentence, text);
        return text;
}
