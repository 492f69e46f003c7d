/*
 * Readers for the values that `run` has beside it. What is wrong is reported at its own place: the
 * one status of a list, the one variable of a mapping.
 */

#include "daemon/run-value.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/conf-node.h"
#include "daemon/conf-value.h"
#include "daemon/run-conf.h"
#include "daemon/user-names.h"
#include "lib/cleanup.h"

static int add_status(struct conf_errors *errors, const struct conf_node *node, uint64_t *success) {
        uint32_t status;
        int r;

        r = conf_u32(errors, node, &status);
        if (r < 0)
                return r;
        if (status > 255)
                return conf_error(errors, node, "an exit status is 255 at most");
        success[status / 64] |= UINT64_C(1) << status % 64;
        return 0;
}

int run_value_statuses(struct conf_errors *errors, const struct conf_node *node, void *field) {
        int result = 0;

        if (node->type == CONF_SCALAR && !conf_node_is_null(node))
                return add_status(errors, node, field);
        if (node->type != CONF_SEQUENCE)
                return conf_error_expected(errors, node, "an exit status or a list of them");
        for (uint32_t i = 0; i < node->n; i++)
                if (conf_errors_note(errors, add_status(errors, node->items[i], field)) < 0)
                        result = -EINVAL;
        return result;
}

/* Variables. */

static int check_variable(struct conf_errors *errors, const struct conf_node *node,
                          const struct conf_pair *pair) {
        const struct conf_node *key = pair->key;
        const struct conf_node *first = conf_node_find(node, key->text)->key;
        const char *value;

        if (first != key)
                return conf_error(errors, key, "'%s' is repeated; it stands first at %u:%u",
                                  key->text, first->line, first->column);
        if (key->n == 0 || strchr(key->text, '='))
                return conf_error(errors, key, "'%s' is no name of a variable", key->text);
        if (strncmp(key->text, "ROUSE_", 6) == 0)
                return conf_error(errors, key, "names that begin with ROUSE_ are roused's own");
        return conf_text(errors, pair->value, &value);
}

/* One block: the pointers, and after them the texts. */
static char **copy_variables(const struct conf_node *node) {
        size_t n_bytes = (node->n + 1) * sizeof(char *);
        char **env, *text;

        for (uint32_t i = 0; i < node->n; i++)
                n_bytes += node->pairs[i].key->n + 1 + node->pairs[i].value->n + 1;
        env = malloc(n_bytes);
        if (!env)
                return NULL;
        text = (char *)(env + node->n + 1);
        for (uint32_t i = 0; i < node->n; i++) {
                env[i] = text;
                text += sprintf(text, "%s=%s", node->pairs[i].key->text,
                                node->pairs[i].value->text) +
                        1;
        }
        env[node->n] = NULL;
        return env;
}

int run_value_env(struct conf_errors *errors, const struct conf_node *node, void *field) {
        char **env;
        int result = 0;

        if (node->type != CONF_MAPPING)
                return conf_error_expected(errors, node, "a mapping of names to texts");
        for (uint32_t i = 0; i < node->n; i++)
                if (conf_errors_note(errors, check_variable(errors, node, &node->pairs[i])) < 0)
                        result = -EINVAL;
        if (result < 0)
                return result;
        env = copy_variables(node);
        if (!env)
                return -ENOMEM;
        conf_strv_free(*(char ***)field);
        *(char ***)field = env;
        return 0;
}

/* Users. */

static int no_such(struct conf_errors *errors, const struct conf_node *node, const char *what,
                   const char *name, int error) {
        if (error == -ENOMEM)
                return error;
        if (error == -ESRCH)
                return conf_error(errors, node, "there is no %s '%s'", what, name);
        return conf_error(errors, node, "cannot look up the %s '%s': %s", what, name,
                          strerror(-error));
}

static int find_groups(struct conf_errors *errors, const struct conf_node *node, const char *name,
                       const char *group, struct run_user *user) {
        int r;

        if (group) {
                r = group_from_string(group, &user->gid);
                if (r < 0)
                        return no_such(errors, node, "group", group, r);
        }
        r = user_groups(user->uid, !group, &user->gid, &user->groups, &user->n_groups);
        if (r == -ESRCH)
                return conf_error(errors, node,
                                  "the user %s is not in the user database: name a group, too, "
                                  "as in %s:GROUP",
                                  name, name);
        return r < 0 ? no_such(errors, node, "user", name, r) : 0;
}

int run_value_user(struct conf_errors *errors, const struct conf_node *node, void *field) {
        _cleanup_free_ char *name = NULL;
        struct run_user *target = field, user = {.is_set = true};
        const char *text;
        char *group;
        int r;

        r = conf_text(errors, node, &text);
        if (r < 0)
                return r;
        name = strdup(text);
        if (!name)
                return -ENOMEM;
        group = strchr(name, ':');
        if (group)
                *group++ = '\0';
        r = user_from_string(name, &user.uid);
        if (r < 0)
                return no_such(errors, node, "user", name, r);
        if (geteuid() != 0 && user.uid != geteuid())
                return conf_error(errors, node, "only root's roused can run a command as '%s'",
                                  name);
        r = find_groups(errors, node, name, group, &user);
        if (r < 0)
                return r;
        if (geteuid() != 0) {
                free(user.groups);
                if (user.gid != getegid())
                        return conf_error(errors, node, "only root's roused can change the group");
                user = (struct run_user){.is_set = false}; /* it is what it is already */
        }
        free(target->groups);
        *target = user;
        return 0;
}

/* The rest. */

int run_value_umask(struct conf_errors *errors, const struct conf_node *node, void *field) {
        mode_t mask;
        int r;

        r = conf_mode(errors, node, &mask);
        if (r < 0)
                return r;
        if (mask > 0777)
                return conf_error(errors, node, "a umask is 0777 at most");
        *(mode_t *)field = mask;
        return 0;
}

int run_value_nice(struct conf_errors *errors, const struct conf_node *node, void *field) {
        const char *text;
        char *end;
        long nice;

        if (node->type != CONF_SCALAR || conf_node_is_null(node) || node->quoted)
                return conf_error_expected(errors, node, "a number from -20 to 19");
        text = node->text;
        nice = strtol(text, &end, 10);
        if (!strchr("+-0123456789", *text) || end == text || *end || nice < -20 || nice > 19)
                return conf_error_expected(errors, node, "a number from -20 to 19");
        *(int *)field = (int)nice;
        return 0;
}

int run_value_output(struct conf_errors *errors, const struct conf_node *node, void *field) {
        struct run_output *output = field;

        if (node->type != CONF_SCALAR)
                return conf_error_expected(errors, node, "log, null or a path");
        if (strcmp(node->text, "null") == 0) {
                output->is_null = true;
                return 0;
        }
        if (strcmp(node->text, "log") == 0)
                return 0;
        if (!strchr(node->text, '/'))
                return conf_error_expected(errors, node, "log, null or a path with a slash");
        return conf_path(errors, node, &output->path);
}
