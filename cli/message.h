/* What rouse says on standard error. */
#pragma once

/* Writes "rouse: ", the text and a newline at once. Control characters are made harmless. */
void message(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The same without "rouse: ", for a line of somebody else's. */
void message_plain(const char *format, ...) __attribute__((format(printf, 1, 2)));
