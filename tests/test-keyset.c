#include "daemon/keyset.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/clock.h"
#include "tests/support.h"

static const struct keyset_limits wide = {.max = 1000, .max_bytes = 1 << 20};

static void add(struct keyset **keyset, const struct keyset_limits *limits, const char *key) {
        keyset_add(keyset, limits, key, strlen(key));
}

static void expect(const struct keyset *keyset, const char *text, size_t n_keys, bool overflow) {
        size_t n;
        const char *found = keyset_text(keyset, &n);

        ck_assert_uint_eq(n, strlen(text));
        ck_assert_mem_eq(found, text, n);
        ck_assert_uint_eq(keyset_count(keyset), n_keys);
        ck_assert(keyset_has_overflown(keyset) == overflow);
}

static void nothing_is_the_empty_set(void) {
        struct keyset *keyset = NULL;

        expect(NULL, "", 0, false);
        keyset_add(&keyset, &wide, "", 0);
        keyset_merge(&keyset, &wide, NULL);
        keyset_add_all(&keyset, &wide, NULL);
        ck_assert_ptr_null(keyset);
        ck_assert_ptr_null(keyset_free(NULL));
}

static void keys_are_kept_once_in_the_order_in_which_they_first_came(void) {
        struct keyset *keyset = NULL;

        add(&keyset, &wide, "b");
        add(&keyset, &wide, "a");
        add(&keyset, &wide, "b");
        add(&keyset, &wide, "ab"); /* has others in it, and is in none */
        add(&keyset, &wide, "a");
        add(&keyset, &wide, "b a");
        expect(keyset, "b\na\nab\nb a\n", 4, false);
        ck_assert_ptr_null(keyset_free(keyset));
}

static void many_keys_are_found_again(void) {
        static const struct keyset_limits limits = {.max = 20000, .max_bytes = 1 << 20};
        struct keyset *keyset = NULL;
        const char *text;
        size_t n;

        for (unsigned int round = 0; round < 2; round++)
                for (unsigned int i = 0; i < 20000; i++) {
                        char key[16];

                        snprintf(key, sizeof(key), "key %u", i);
                        add(&keyset, &limits, key);
                }
        ck_assert_uint_eq(keyset_count(keyset), 20000);
        ck_assert(!keyset_has_overflown(keyset));
        text = keyset_text(keyset, &n);
        for (unsigned int i = 0; i < 20000; i++) {
                char key[16];
                int n_key = snprintf(key, sizeof(key), "key %u\n", i);

                ck_assert_mem_eq(text, key, (size_t)n_key);
                text += n_key;
        }
        keyset_free(keyset);
}

/* FNV-1a is the hash that anybody would guess. Its lower bits depend on nothing but the lower bits
 * before, so two words that make the same of a state can stand for each other; and a text of n such
 * places is one of 2^n. */
#define N_SAME_BITS 16
#define N_WORD      4
#define N_PLACES    13
#define N_COLLIDING (1U << N_PLACES)
#define N_KEY       (N_PLACES * N_WORD)

static uint32_t fnv(uint32_t state, const char *text, size_t n) {
        for (size_t i = 0; i < n; i++)
                state = (state ^ (unsigned char)text[i]) * 16777619U;
        return state & ((1U << N_SAME_BITS) - 1);
}

static void write_word(char word[N_WORD], unsigned int i) {
        for (int k = 0; k < N_WORD; k++, i /= 26)
                word[k] = (char)('a' + i % 26);
}

/* Returns the state after both. */
static uint32_t find_words(uint32_t state, char words[2][N_WORD]) {
        static unsigned int seen[1U << N_SAME_BITS];
        uint32_t next;

        memset(seen, 0, sizeof(seen));
        for (unsigned int i = 0;; i++) {
                ck_assert_uint_lt(i, 26 * 26 * 26 * 26);
                write_word(words[1], i);
                next = fnv(state, words[1], N_WORD);
                if (seen[next])
                        break;
                seen[next] = i + 1;
        }
        write_word(words[0], seen[next] - 1);
        return next;
}

static void make_colliding(char keys[N_COLLIDING][N_KEY]) {
        uint32_t state = fnv(2166136261U, NULL, 0);
        char words[N_PLACES][2][N_WORD];

        for (unsigned int place = 0; place < N_PLACES; place++)
                state = find_words(state, words[place]);
        for (unsigned int i = 0; i < N_COLLIDING; i++) {
                for (unsigned int place = 0; place < N_PLACES; place++)
                        memcpy(keys[i] + place * N_WORD, words[place][i >> place & 1], N_WORD);
                test_expect(fnv(2166136261U, keys[i], N_KEY) == state);
        }
}

static uint64_t cpu_time_ns(void) {
        struct timespec now;

        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
        return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static uint64_t time_to_add(char keys[N_COLLIDING][N_KEY]) {
        static const struct keyset_limits limits = {.max = N_COLLIDING, .max_bytes = 1 << 20};
        struct keyset *keyset = NULL;
        uint64_t begun_ns = cpu_time_ns();

        for (unsigned int i = 0; i < N_COLLIDING; i++)
                keyset_add(&keyset, &limits, keys[i], N_KEY);
        begun_ns = cpu_time_ns() - begun_ns;
        ck_assert_uint_eq(keyset_count(keyset), N_COLLIDING);
        keyset_free(keyset);
        return begun_ns;
}

static void write_number(char key[N_KEY], unsigned int number) {
        for (int i = N_KEY; i--; number /= 10)
                key[i] = (char)('0' + number % 10);
}

static void keys_cannot_be_chosen_to_take_long(void) {
        static char chosen[N_COLLIDING][N_KEY], usual[N_COLLIDING][N_KEY];
        uint64_t usual_ns, chosen_ns;

        make_colliding(chosen);
        for (unsigned int i = 0; i < N_COLLIDING; i++)
                write_number(usual[i], i);
        usual_ns = time_to_add(usual);
        chosen_ns = time_to_add(chosen);
        ck_assert_uint_lt(chosen_ns, 20 * usual_ns);
}

static void what_passes_a_bound_is_said_and_not_kept(void) {
        static const struct {
                struct keyset_limits limits;
                const char *keys[5];
                const char *text;
                bool overflow;
        } cases[] = {
                {{.max = 2, .max_bytes = 100}, {"a", "b"}, "a\nb\n", false},
                {{.max = 2, .max_bytes = 100}, {"a", "b", "a", "b"}, "a\nb\n", false},
                {{.max = 2, .max_bytes = 100}, {"a", "b", "c", "a"}, "a\nb\n", true},
                {{.max = 9, .max_bytes = 4}, {"a", "b"}, "a\nb\n", false},
                {{.max = 9, .max_bytes = 4}, {"a", "b", "c"}, "a\nb\n", true},
                {{.max = 9, .max_bytes = 4}, {"abc"}, "abc\n", false},
                {{.max = 9, .max_bytes = 4}, {"abcd", "b"}, "b\n", true},
                {{.max = 9, .max_bytes = 5}, {"ab", "cd", "e"}, "ab\ne\n", true},
                {{.max = 9, .max_bytes = 9}, {"a\nb", "c"}, "c\n", true},
                {{.max = 9, .max_bytes = 9}, {"\n"}, "", true},
                {{.max = 0, .max_bytes = 9}, {"a"}, "", false}, /* keys are not wanted */
                {{.max = 9, .max_bytes = 0}, {"a"}, "", true},
        };

        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                struct keyset *keyset = NULL;
                size_t n_keys = 0;

                for (const char *const *key = cases[i].keys; *key; key++)
                        add(&keyset, &cases[i].limits, *key);
                for (const char *p = cases[i].text; *p; p++)
                        n_keys += *p == '\n';
                expect(keyset, cases[i].text, n_keys, cases[i].overflow);
                keyset_free(keyset);
        }
}

static void bounds_may_be_lowered(void) {
        static const struct keyset_limits before = {.max = 9, .max_bytes = 9},
                                          after = {.max = 9, .max_bytes = 3};
        struct keyset *keyset = NULL;

        add(&keyset, &before, "a");
        add(&keyset, &before, "b");
        expect(keyset, "a\nb\n", 2, false);
        add(&keyset, &after, "b");
        expect(keyset, "a\nb\n", 2, false);
        add(&keyset, &after, "c");
        expect(keyset, "a\nb\n", 2, true);
        keyset_free(keyset);
}

static void a_set_goes_behind_another(void) {
        static const struct keyset_limits three = {.max = 3, .max_bytes = 100};
        struct keyset *to = NULL, *from = NULL;

        add(&from, &wide, "a");
        add(&from, &wide, "b");
        keyset_merge(&to, &wide, from); /* into nothing: as it is */
        expect(to, "a\nb\n", 2, false);
        from = NULL;
        add(&from, &wide, "b");
        add(&from, &wide, "c");
        keyset_merge(&to, &three, from);
        expect(to, "a\nb\nc\n", 3, false);
        from = NULL;
        add(&from, &wide, "d");
        keyset_merge(&to, &three, from);
        expect(to, "a\nb\nc\n", 3, true);
        keyset_free(to);
}

static void an_overflow_goes_along(void) {
        struct keyset *to = NULL, *from = NULL;

        add(&to, &wide, "a");
        keyset_overflow(&from);
        expect(from, "", 0, true);
        keyset_merge(&to, &wide, from);
        expect(to, "a\n", 1, true);
        add(&to, &wide, "b"); /* what comes later has its place */
        expect(to, "a\nb\n", 2, true);
        keyset_free(to);
}

static void a_copy_leaves_the_other_set_alone(void) {
        static const struct keyset_limits none = {.max = 0, .max_bytes = 100};
        struct keyset *to = NULL, *from = NULL;

        add(&from, &wide, "a");
        keyset_overflow(&from);
        keyset_add_all(&to, &none, from); /* where keys are not wanted, none are missing */
        ck_assert_ptr_null(to);
        keyset_add_all(&to, &wide, from);
        expect(to, "a\n", 1, true);
        expect(from, "a\n", 1, true);
        keyset_free(from);
        expect(to, "a\n", 1, true);
        keyset_free(to);
}

int main(int argc, char **argv) {
        static const struct test tests[] = {
                TEST(nothing_is_the_empty_set),
                TEST(keys_are_kept_once_in_the_order_in_which_they_first_came),
                TEST(many_keys_are_found_again),
                TEST(keys_cannot_be_chosen_to_take_long),
                TEST(what_passes_a_bound_is_said_and_not_kept),
                TEST(bounds_may_be_lowered),
                TEST(a_set_goes_behind_another),
                TEST(an_overflow_goes_along),
                TEST(a_copy_leaves_the_other_set_alone),
                {0},
        };

        return test_main("keyset", tests, argc, argv);
}
