/* D-Bus messages, as far as a sender and a subscriber need them. Little-endian. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum dbus_type {
        DBUS_CALL = 1,
        DBUS_RETURN = 2,
        DBUS_ERROR = 3,
        DBUS_SIGNAL = 4,
};

/* What is left NULL or 0 is left out. */
struct dbus_header {
        enum dbus_type type;
        uint32_t serial;
        const char *path, *interface, *member, *destination;
        const char *signature; /* of the body */
        uint32_t n_fds;
};

/* A message that grows at its end. What begins at `body` is the body, once that has begun. */
struct dbus_message {
        size_t n, body;
        char data[2048];
};

void dbus_begin(struct dbus_message *message, const struct dbus_header *header);
void dbus_align(struct dbus_message *message, size_t alignment);
void dbus_put_byte(struct dbus_message *message, unsigned int value);
void dbus_put_u32(struct dbus_message *message, uint32_t value); /* a boolean, too */
void dbus_put_u64(struct dbus_message *message, uint64_t value);
void dbus_put_string(struct dbus_message *message, const char *text);
void dbus_put_signature(struct dbus_message *message, const char *text);

/* An array of what is aligned to 8 bytes; the first returns what the second wants. */
size_t dbus_open_array(struct dbus_message *message);
void dbus_close_array(struct dbus_message *message, size_t mark);

/* Puts the length of the body where it belongs. */
void dbus_end(struct dbus_message *message);

/* The length of the message that begins with these bytes; 0: they are too few to tell. */
size_t dbus_length(const char *data, size_t n);
