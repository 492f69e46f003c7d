/* What rouse ends with; scripts rely on these. */
#pragma once

enum exit_code {
        EXIT_DONE = 0, /* or true */
        EXIT_FAILED = 1,
        EXIT_USAGE = 2,
        EXIT_FALSE = 3,
        EXIT_NO_HANDLE = 4,
        EXIT_DENIED = 5,
        EXIT_UNREACHABLE = 69,
        EXIT_TIMEOUT = 124,
};
