/* See the header. Alignments count from the message's first byte; a body begins at a multiple of 8.
 */

#include "bench/dbus.h"

#include <string.h>

#include "bench/measure.h"

enum {
        FIELD_PATH = 1,
        FIELD_INTERFACE = 2,
        FIELD_MEMBER = 3,
        FIELD_DESTINATION = 6,
        FIELD_SIGNATURE = 8,
        FIELD_FDS = 9,
        FIXED_BYTES = 16,
};

static void put(struct dbus_message *message, const void *data, size_t n) {
        if (message->n + n > sizeof(message->data))
                die("a D-Bus message is too long");
        memcpy(message->data + message->n, data, n);
        message->n += n;
}

void dbus_align(struct dbus_message *message, size_t alignment) {
        static const char zeroes[8];

        put(message, zeroes, (alignment - message->n % alignment) % alignment);
}

void dbus_put_byte(struct dbus_message *message, unsigned int value) {
        put(message, &(unsigned char){(unsigned char)value}, 1);
}

void dbus_put_u32(struct dbus_message *message, uint32_t value) {
        dbus_align(message, 4);
        put(message, &value, sizeof(value));
}

void dbus_put_u64(struct dbus_message *message, uint64_t value) {
        dbus_align(message, 8);
        put(message, &value, sizeof(value));
}

void dbus_put_string(struct dbus_message *message, const char *text) {
        dbus_put_u32(message, (uint32_t)strlen(text));
        put(message, text, strlen(text) + 1);
}

void dbus_put_signature(struct dbus_message *message, const char *text) {
        dbus_put_byte(message, (unsigned int)strlen(text));
        put(message, text, strlen(text) + 1);
}

size_t dbus_open_array(struct dbus_message *message) {
        dbus_align(message, 4);
        dbus_put_u32(message, 0);
        return message->n - 4;
}

/* The length leaves out the padding before the first element, which is there in any case. */
void dbus_close_array(struct dbus_message *message, size_t mark) {
        size_t first = (mark + 4 + 7) / 8 * 8;
        uint32_t n;

        if (message->n < first)
                dbus_align(message, 8);
        n = (uint32_t)(message->n - first);
        memcpy(message->data + mark, &n, sizeof(n));
}

static void put_field(struct dbus_message *message, unsigned int code, const char *signature,
                      const char *text) {
        if (!text)
                return;
        dbus_align(message, 8);
        dbus_put_byte(message, code);
        dbus_put_signature(message, signature);
        if (*signature == 'g')
                dbus_put_signature(message, text);
        else
                dbus_put_string(message, text);
}

void dbus_begin(struct dbus_message *message, const struct dbus_header *header) {
        uint32_t n_fields;

        message->n = 0;
        dbus_put_byte(message, 'l');
        dbus_put_byte(message, header->type);
        dbus_put_byte(message, 0);
        dbus_put_byte(message, 1);
        dbus_put_u32(message, 0);
        dbus_put_u32(message, header->serial);
        dbus_put_u32(message, 0);
        put_field(message, FIELD_PATH, "o", header->path);
        put_field(message, FIELD_INTERFACE, "s", header->interface);
        put_field(message, FIELD_MEMBER, "s", header->member);
        put_field(message, FIELD_DESTINATION, "s", header->destination);
        put_field(message, FIELD_SIGNATURE, "g", header->signature);
        if (header->n_fds) {
                dbus_align(message, 8);
                dbus_put_byte(message, FIELD_FDS);
                dbus_put_signature(message, "u");
                dbus_put_u32(message, header->n_fds);
        }
        n_fields = (uint32_t)(message->n - FIXED_BYTES);
        memcpy(message->data + FIXED_BYTES - 4, &n_fields, sizeof(n_fields));
        dbus_align(message, 8);
        message->body = message->n;
}

void dbus_end(struct dbus_message *message) {
        uint32_t n_body = (uint32_t)(message->n - message->body);

        memcpy(message->data + 4, &n_body, sizeof(n_body));
}

size_t dbus_length(const char *data, size_t n) {
        uint32_t n_body, n_fields;

        if (n < FIXED_BYTES)
                return 0;
        memcpy(&n_body, data + 4, sizeof(n_body));
        memcpy(&n_fields, data + FIXED_BYTES - 4, sizeof(n_fields));
        return FIXED_BYTES + (n_fields + 7U) / 8U * 8U + n_body;
}
