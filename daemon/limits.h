/* Every limit of the daemon: what a user can make grow has a bound here, a counter and a test. */
#pragma once

#define LIMIT_CONF_FILE_BYTES (256U << 20) /* one configuration file */
#define LIMIT_CONF_FILES      4096U        /* beside the main one, in conf.d */
#define LIMIT_CONF_DEPTH      32U          /* nesting of its values */
#define LIMIT_CONF_ERRORS     1000U        /* reported; the rest is counted */
#define LIMIT_HANDLES         (4U << 20)   /* all handles, configured and created */
#define LIMIT_WORKERS         64U
#define LIMIT_SOURCES         8192U /* of all workers */
#define LIMIT_FAN_OUT         1024U /* targets of one send action */
#define LIMIT_GROUPS          256U
#define LIMIT_KEYS            1000000U    /* what a handle may set as its bound of keys */
#define LIMIT_KEYS_BYTES      (64U << 20) /* and of their bytes */

#define LIMIT_CREATED_HANDLES 1024U /* made over the control socket */
#define LIMIT_RUN_RECORDS     8U    /* last runs of a handle that are remembered */
#define LIMIT_COMPLAINT       1024U /* bytes of what a run wrote to standard error, remembered */
#define LIMIT_TAILS           256U  /* outputs of processes that runs have left behind */
#define LIMIT_CLOSED_HANDLES  1024U /* closed ones that are still shown */

#define LIMIT_POKE_BYTES    (256U << 10) /* one datagram */
#define LIMIT_MAILBOX_BYTES (1U << 20)   /* named sends on their way from the workers */
#define LIMIT_FIFO_LINE     4096U        /* one line read from a fifo */
#define LIMIT_WATCHED_DIRS  (64U << 10)  /* directories of one watch */
#define LIMIT_OUTPUT_LINE   8192U        /* one line of a run's output; longer ones are cut up */
#define LIMIT_KEY_BYTES     4096U        /* one key */

#define LIMIT_CLIENTS          1024U      /* connections of the control socket */
#define LIMIT_CLIENTS_RESERVED 16U        /* of them, for root and the daemon's own user */
#define LIMIT_CLIENTS_PER_UID  256U       /* root and the daemon's own user may have all */
#define LIMIT_REQUEST_BYTES    (1U << 20) /* one line of a client */
#define LIMIT_JSON_DEPTH       64U        /* nesting of a request */
#define LIMIT_ID_BYTES         256U       /* the id of a request, as its text stands there */
#define LIMIT_BATCH            1024U      /* requests in a batch */
#define LIMIT_IN_FLIGHT        1024U      /* handles that a client's requests wait for */
#define LIMIT_SEND_NAMES       1024U      /* names in one send */
#define LIMIT_SEND_KEYS        1024U      /* keys in one send */
#define LIMIT_SENDS            16384U     /* sends in one: one of each key to each name */

#define LIMIT_ATTACHMENTS         16U   /* of one connection */
#define LIMIT_ATTACHMENTS_PER_UID 256U  /* root and the daemon's own user may have any number */
#define LIMIT_ATTACHED_HANDLES    1024U /* of one attachment */

/* Unread answers: of one client before it is not read any more, of one user before he gets no more
 * lists and each of his clients may have little, and of all together before each client may. */
#define LIMIT_REPLY_BYTES      (8U << 20)
#define LIMIT_USER_REPLY_BYTES (64U << 20)
#define LIMIT_REPLIES_BYTES    (256U << 20)
/* Requests that have come in part, of one user and of all together before each client may have
 * little. */
#define LIMIT_USER_REQUEST_BYTES (16U << 20)
#define LIMIT_REQUESTS_BYTES     (64U << 20)

#define LIMIT_SUBSCRIPTIONS   64U         /* patterns of a client */
#define LIMIT_PATTERN_BYTES   255U        /* one pattern: no name is longer */
#define LIMIT_WATCHED_HANDLES (64U << 10) /* handles that a client's subscriptions cover */
#define LIMIT_WATCHED_BY_ALL  (1U << 20)  /* that, of all together before each may have few: */
#define LIMIT_WATCHED_FEW     1024U

/* How long the daemon's stop waits for runs, in nanoseconds. */
#define STOP_PATIENCE_NS   (60 * 1000000000ULL) /* until they are told to end */
#define STOP_KILL_AFTER_NS (10 * 1000000000ULL) /* from then on, until they are killed */
