/* Reads the values that only commands have: limits, users, outputs. Each is a reader as in
 * conf-value.h, for the field of struct run_conf that is named. */
#pragma once

struct conf_errors;
struct conf_node;

/* uint64_t [4]: a status, or a list; added to what is there. */
int run_value_statuses(struct conf_errors *errors, const struct conf_node *node, void *field);
/* char **: a mapping of variables. */
int run_value_env(struct conf_errors *errors, const struct conf_node *node, void *field);
/* struct run_user: NAME or NAME:GROUP; may ask the user database. */
int run_value_user(struct conf_errors *errors, const struct conf_node *node, void *field);
/* mode_t, of at most 0777. */
int run_value_umask(struct conf_errors *errors, const struct conf_node *node, void *field);
/* int, from -20 to 19. */
int run_value_nice(struct conf_errors *errors, const struct conf_node *node, void *field);
/* struct run_output: log, null, or a path. */
int run_value_output(struct conf_errors *errors, const struct conf_node *node, void *field);
