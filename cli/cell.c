/*
 * wcwidth(3) knows widths only after a locale was loaded, which a static program cannot do; so the
 * letters that take two columns are told here, by their blocks. One that takes none, such as an
 * accent, counts as one: a line that is too short does less harm than one that breaks, which moves
 * the lines above it off the screen.
 */

#include "cli/cell.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "lib/buffer.h"
#include "lib/utf8.h"

#define MARK "…"

/* What is shown for the next letter of a text. */
struct letter {
        const char *at;
        size_t n;
        size_t width;
};

static bool is_wide(const char *at, size_t n) {
        static const struct {
                uint32_t first, last;
        } blocks[] = {
                {0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0xa4cf},   {0xa960, 0xa97f},
                {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},
                {0xffe0, 0xffe6},   {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff},
                {0x20000, 0x3fffd},
        };
        uint32_t code = (unsigned char)at[0] & (0x7fU >> n);

        for (size_t i = 1; i < n; i++)
                code = code << 6 | ((unsigned char)at[i] & 0x3f);
        for (size_t i = 0; n > 1 && i < sizeof(blocks) / sizeof(blocks[0]); i++)
                if (code >= blocks[i].first && code <= blocks[i].last)
                        return true;
        return false;
}

/* Takes the next letter off the text. False at its end. */
static bool take(const char **text, size_t *n_left, struct letter *ret) {
        size_t n;

        if (*n_left == 0)
                return false;
        n = rouse__utf8_sequence(*text, *n_left);
        *ret = (struct letter){.at = "?", .n = 1, .width = 1};
        if (n > 0 && rouse__utf8_control(*text, n) == 0)
                *ret = (struct letter){.at = *text, .n = n, .width = is_wide(*text, n) ? 2 : 1};
        *text += n ?: 1;
        *n_left -= n ?: 1;
        return true;
}

size_t cell_width(const char *text) {
        size_t n_left = strlen(text), width = 0;
        struct letter letter;

        while (take(&text, &n_left, &letter))
                width += letter.width;
        return width;
}

size_t cell_add(struct buffer *out, const char *text, size_t most) {
        size_t n_left = strlen(text), width = 0;
        bool is_cut = cell_width(text) > most;
        struct letter letter;

        if (most == 0)
                return 0;
        while (take(&text, &n_left, &letter) && width + letter.width + is_cut <= most) {
                buffer_add(out, letter.at, letter.n);
                width += letter.width;
        }
        if (!is_cut)
                return width;
        buffer_add_literal(out, MARK);
        return width + 1;
}
