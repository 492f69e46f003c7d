/* An intrusive doubly linked list; the head is a node of its own. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct list {
        struct list *prev, *next;
};

#define LIST_INIT(l) \
        { .prev = &(l), .next = &(l) }

#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

static inline void list_init(struct list *l) {
        l->prev = l->next = l;
}

static inline bool list_is_empty(const struct list *l) {
        return l->next == l;
}

/* A node that was initialised and is in no list. */
static inline bool list_is_linked(const struct list *node) {
        return node->next && node->next != node;
}

static inline void list_insert_before(struct list *where, struct list *node) {
        node->prev = where->prev;
        node->next = where;
        where->prev->next = node;
        where->prev = node;
}

static inline void list_append(struct list *head, struct list *node) {
        list_insert_before(head, node);
}

/* May be repeated: a removed node is a list of its own. */
static inline void list_remove(struct list *node) {
        if (!node->next)
                return;
        node->prev->next = node->next;
        node->next->prev = node->prev;
        list_init(node);
}

/* Moves all of `from` to the end of `to`: how a list is set aside before it is walked. */
static inline void list_splice(struct list *to, struct list *from) {
        if (list_is_empty(from))
                return;
        from->next->prev = to->prev;
        to->prev->next = from->next;
        from->prev->next = to;
        to->prev = from->prev;
        list_init(from);
}

/* The first node, or NULL. */
static inline struct list *list_first(struct list *head) {
        return head->next == head ? NULL : head->next;
}

#define list_for_each(it, head) for (struct list *it = (head)->next; it != (head); it = it->next)
#define list_for_each_safe(it, head)                                              \
        for (struct list *it = (head)->next, *it##_next = it->next; it != (head); \
             it = it##_next, it##_next = it->next)
