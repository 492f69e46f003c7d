/* Who may do what. */
#include "daemon/access.h"

#include <errno.h>
#include <grp.h>
#include <pthread.h>
#include <pwd.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/conf-node.h"
#include "daemon/conf-yaml.h"
#include "daemon/own-group.h"
#include "daemon/peer.h"
#include "daemon/user-names.h"
#include "tests/conf-support.h"
#include "tests/support.h"

static struct access_rules *parse(const char *text) {
        struct conf_errors errors = CONF_ERRORS_NULL;
        struct conf_arena arena = CONF_ARENA_NULL;
        struct access_rules *rules = NULL;
        const struct conf_node *root;

        ck_assert_int_eq(
                conf_yaml_parse(&errors, &arena, "t", text, strlen(text), NULL, NULL, &root), 0);
        ck_assert_int_eq(access_rules_parse(&errors, root, &rules), 0);
        ck_assert_uint_eq(errors.n_items, 0);
        conf_errors_deinit(&errors);
        conf_arena_deinit(&arena);
        return rules;
}

/* Those of `text` and the defaults. */
static struct access_rules *parse_global(const char *text) {
        struct access_rules *rules = parse(text);

        ck_assert_int_eq(access_rules_fill(rules), 0);
        return rules;
}

#define STRANGER 4711
#define FRIEND   4712

static gid_t friends_groups[] = {50, 4750, 60};
static const struct peer stranger = {.pid = 1, .uid = STRANGER, .gid = STRANGER};
static const struct peer friend = {
        .pid = 1, .uid = FRIEND, .gid = 4740, .groups = friends_groups, .n_groups = 3};

static void expect(const struct access_rules *global, const struct access_rules *own,
                   const struct peer *peer, const char *rights) {
        char found[] = "---";

        for (int right = 0; right < N_ACCESS_RIGHTS; right++)
                if (access_allows(global, own, peer, (enum access_right)right))
                        found[right] = *access_right_to_string((enum access_right)right);
        ck_assert_str_eq(found, rights);
}

static void users_groups_and_everybody_are_covered(void) {
        static const struct {
                const char *text, *stranger, *friend;
        } rows[] = {
                {"{read: [], send: [], admin: []}", "---", "---"},
                {"{read: '*', send: [], admin: []}", "r--", "r--"},
                {"{read: ['*'], send: 4712}", "r--", "rs-"},
                {"{read: [4711], send: ['@4750'], admin: []}", "r--", "-s-"},
                {"{read: ['@4740'], send: ['@60'], admin: []}", "---", "rs-"},
                {"{read: ['@4711'], send: ['@4712'], admin: []}", "r--", "---"},
                {"{read: [1, 2, 4712, 3], send: ['@1', '@50', '@2'], admin: []}", "---", "rs-"},
                /* who administrates may send and read */
                {"{read: [], send: [], admin: [4712]}", "---", "rsa"},
                /* and nothing else follows from anything */
                {"{read: [], send: [4712], admin: []}", "---", "-s-"},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                struct access_rules *rules = parse_global(rows[i].text);

                expect(rules, NULL, &stranger, rows[i].stranger);
                expect(rules, NULL, &friend, rows[i].friend);
                access_rules_free(rules);
        }
}

static void a_handles_rules_stand_before_the_global_ones(void) {
        static const struct {
                const char *global, *own, *stranger, *friend;
        } rows[] = {
                {"{read: '*', send: []}", "{}", "r--", "r--"},
                {"{read: '*', send: []}", "{send: [4712]}", "r--", "rs-"},
                {"{read: '*', send: '*'}", "{send: [4712]}", "r--", "rs-"},
                {"{read: '*', send: '*'}", "{read: [], send: []}", "---", "---"},
                {"{admin: [4711]}", "{read: [], send: []}", "rsa", "---"},
                {"{admin: [4711], send: []}", "{admin: [4712]}", "r--", "rsa"},
                {"{admin: [4711], send: []}", "{admin: []}", "r--", "r--"},
        };

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                struct access_rules *global = parse_global(rows[i].global);
                struct access_rules *own = parse(rows[i].own);

                expect(global, own, &stranger, rows[i].stranger);
                expect(global, own, &friend, rows[i].friend);
                access_rules_free(own);
                access_rules_free(global);
        }
}

static void root_and_the_daemons_own_user_always_may(void) {
        struct access_rules *none = parse_global("{read: [], send: [], admin: []}");
        struct peer root = {.pid = 1, .uid = 0, .gid = 4711};
        struct peer own = {.pid = 1, .uid = geteuid(), .gid = 4711};
        struct peer nobody = PEER_NULL;

        expect(none, none, &root, "rsa");
        expect(none, none, &own, "rsa");
        expect(none, none, &nobody, "---");
        access_rules_free(none);
}

static void the_defaults_need_no_group(void) {
        struct access_rules *rules;
        struct group *group = getgrnam("roused");

        ck_assert_int_eq(access_rules_new_default(&rules), 0);
        expect(rules, NULL, &stranger, "r--");
        if (group) {
                struct peer member = {.pid = 1, .uid = STRANGER, .gid = group->gr_gid};

                expect(rules, NULL, &member, "rs-");
        }
        access_rules_free(rules);
}

static void the_defaults_may_be_written_out(void) {
        struct access_rules *written =
                parse_global("{read: ['*'], send: ['@" OWN_GROUP "'], admin: []}");
        struct access_rules *rules;

        ck_assert_int_eq(access_rules_new_default(&rules), 0);
        ck_assert(access_rules_equal(rules, written));
        access_rules_free(written);
        access_rules_free(rules);
}

static void names_become_numbers(void) {
        struct passwd *user = getpwuid(1);
        struct group *group = getgrgid(1);
        uid_t uid = 42;
        gid_t gid = 42;

        ck_assert_ptr_nonnull(user);
        ck_assert_ptr_nonnull(group);
        ck_assert_int_eq(user_from_string(user->pw_name, &uid), 0);
        ck_assert_uint_eq(uid, 1);
        ck_assert_int_eq(group_from_string(group->gr_name, &gid), 0);
        ck_assert_uint_eq(gid, 1);
        ck_assert_int_eq(user_from_string("4294967294", &uid), 0);
        ck_assert_uint_eq(uid, 4294967294);
        ck_assert_int_eq(group_from_string("0", &gid), 0);
        ck_assert_uint_eq(gid, 0);
        ck_assert_int_eq(user_from_string("4294967295", &uid), -ESRCH);
        ck_assert_int_eq(user_from_string("4294967296", &uid), -ESRCH);
        ck_assert_int_eq(user_from_string("00000000001", &uid), -ESRCH);
        ck_assert_int_eq(user_from_string("", &uid), -ESRCH);
        ck_assert_int_eq(user_from_string("no.such.user", &uid), -ESRCH);
        ck_assert_int_eq(user_from_string("-1", &uid), -ESRCH);
        ck_assert_int_eq(group_from_string("no.such.group", &gid), -ESRCH);
        ck_assert_uint_eq(uid, 4294967294);
        ck_assert_uint_eq(gid, 0);
}

static void rules_are_equal_if_they_say_the_same(void) {
        static const char base[] = "{read: [1, '@2'], send: '*'}";
        static const struct {
                const char *text;
                bool equal;
        } rows[] = {
                {"{send: ['*'], read: ['1', '@2']}", true},
                {"{read: [1, '@2'], send: '*', admin: []}", false},
                {"{read: [1, '@2']}", false},
                {"{read: [1, '@2'], send: []}", false},
                {"{read: [1, '@3'], send: '*'}", false},
                {"{read: [2, '@2'], send: '*'}", false},
                {"{read: [1, 2], send: '*'}", false},
                {"{read: [1, '@2', 3], send: '*'}", false},
                {"{}", false},
        };
        struct access_rules *first = parse(base);

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
                struct access_rules *second = parse(rows[i].text);

                ck_assert_msg(access_rules_equal(first, second) == rows[i].equal, "%s",
                              rows[i].text);
                access_rules_free(second);
        }
        ck_assert(!access_rules_equal(first, NULL));
        ck_assert(!access_rules_equal(NULL, first));
        ck_assert(access_rules_equal(NULL, NULL));
        ck_assert_ptr_null(access_rules_free(first));
        ck_assert_ptr_null(access_rules_free(NULL));
}

static atomic_bool is_over;

static void *allocate(void *arg) {
        while (!atomic_load(&is_over))
                free(calloc(1, 64));
        return arg;
}

/* A reload looks it up while workers go on: it must not wait for a lock that one of them had. */
static void the_own_group_is_found_beside_other_threads(void) {
        const struct group *group = getgrnam(OWN_GROUP);
        pthread_t thread;
        gid_t gid = 0;

        ck_assert_int_eq(pthread_create(&thread, NULL, allocate, NULL), 0);
        for (int i = 0; i < 50; i++)
                ck_assert_int_eq(own_group_find(&gid), group ? 0 : -ESRCH);
        atomic_store(&is_over, true);
        ck_assert_int_eq(pthread_join(thread, NULL), 0);
        if (group)
                ck_assert_uint_eq(gid, group->gr_gid);
}

static const struct test tests[] = {
        TEST(users_groups_and_everybody_are_covered),
        TEST(a_handles_rules_stand_before_the_global_ones),
        TEST(root_and_the_daemons_own_user_always_may),
        TEST(the_defaults_need_no_group),
        TEST(the_defaults_may_be_written_out),
        TEST(names_become_numbers),
        TEST(rules_are_equal_if_they_say_the_same),
        TEST(the_own_group_is_found_beside_other_threads),
        {0},
};

int main(int argc, char **argv) {
        return test_main("access", tests, argc, argv);
}
