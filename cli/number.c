/* Strict: digits only, so that an empty variable of a script is not taken for zero. */

#include "cli/number.h"

#include <limits.h>
#include <string.h>

#include "cli/exit-code.h"
#include "cli/message.h"
#include "lib/json-value.h"

int number_read(const char *option, const char *text, uint64_t *ret) {
        struct json_text number = {.at = text, .n = strlen(text)};

        if (rouse__json_whole(number, ret) == 0)
                return 0;
        if (number.n > 0 && text[0] != '0' && strspn(text, "0123456789") == number.n)
                message("--%s %s is larger than %llu", option, text, ULLONG_MAX);
        else
                message("--%s needs a number, not '%s'", option, text);
        return EXIT_USAGE;
}
