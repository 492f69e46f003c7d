/* The daemon keeps more of a complaint than people want to see at once. A blank line at its end is
 * none. */

#include "cli/complaint.h"

#include <string.h>

#include "cli/message.h"
#include "cli/output.h"
#include "cli/result.h"

#define COMPLAINT_SIZE  8192
#define COMPLAINT_LINES 5

static void each_line(struct json_text run, void (*show)(const char *line)) {
        char text[COMPLAINT_SIZE];
        char *rest = text, *line;

        result_text(result_member(run, "complaint"), text, sizeof(text));
        for (int n = 0; (line = strsep(&rest, "\n")) && (*line || rest); n++) {
                if (n == COMPLAINT_LINES) {
                        show("…");
                        return;
                }
                show(line);
        }
}

static void print(const char *line) {
        out("    ");
        out_text(line, 0);
        out("\n");
}

static void tell(const char *line) {
        message_plain("    %s", line);
}

void complaint_print(struct json_text run) {
        each_line(run, print);
}

void complaint_tell(struct json_text run) {
        each_line(run, tell);
}
