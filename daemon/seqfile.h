/* The number of each handle's last wake, in a file, so that numbers never go back over a restart.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* What the file keeps for one name; in the place of the first is what it keeps for all unknown
 * ones.
 */
struct seqfile_record {
        uint64_t hash;
        uint64_t seq;
};

struct seqfile {
        int fd; /* -1: no file, `records` is ordinary memory */
        struct seqfile_record *records;
        uint32_t n_room;  /* records that fit, the header's included */
        uint32_t *index;  /* hash table of record numbers; 0: free */
        uint32_t n_index; /* a power of two */
};

/* The record of one name. */
struct seqfile_entry {
        uint32_t index; /* 0: none could be had; its numbers count for all unknown names */
};

/* What came of numbers that were there, if they do not go on. */
enum seqfile_loss {
        SEQFILE_WAS_EMPTY = 1,
        SEQFILE_WAS_DAMAGED, /* it is set aside as `path`.bad */
};

/* Opens or makes the file `path`. Whatever happens, the result works: without a file, and after a
 * loss, the numbers begin so high that they have not been used. *ret_error is 0, or the negative
 * errno that kept the file away. 0; one of enum seqfile_loss; -ENOMEM if there is nothing at all.
 */
int seqfile_open(const char *path, int *ret_error, struct seqfile **ret);
/* Marks the file as complete and closes it. Returns NULL. */
struct seqfile *seqfile_close(struct seqfile *seqfile);

/* Finds or makes the entry of a name; returns the number of its last wake. */
uint64_t seqfile_enter(struct seqfile *seqfile, const char *name, struct seqfile_entry *ret_entry);
/* The handle woke for the `seq`th time. A store into the page cache: survives kill -9. */
static inline void seqfile_note(struct seqfile *seqfile, struct seqfile_entry entry, uint64_t seq) {
        uint64_t *kept = &seqfile->records[entry.index].seq;

        if (*kept < seq)
                *kept = seq;
}

/* It will wake soon: the processor may fetch its record. */
static inline void seqfile_prefetch(const struct seqfile *seqfile, struct seqfile_entry entry) {
        __builtin_prefetch(&seqfile->records[entry.index], 1);
}
