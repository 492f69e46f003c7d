/*
 * What describe says of results. A test compares these with what the methods answer: each member
 * that is described is there, and no other.
 */

#include "daemon/schemas.h"

/* JSON as it is, for the preprocessor to quote. */
#define SCHEMA(...) #__VA_ARGS__

/* clang-format off */

#define HANDLE_MEMBERS SCHEMA(                                                                   \
        "name":{"type":"string"},                                                                \
        "is_active":{"type":"boolean"},                                                          \
        "has_ref":{"type":"boolean"},                                                            \
        "pending":{"type":"integer","description":"Sends that no wake has covered"},             \
        "paused":{"type":"boolean"},                                                             \
        "state":{"enum":["idle","pending","quiet","interval","running","behind_run","backing_off",\
                "failed","paused","group_full","closed"]},                                       \
        "seq":{"type":"integer","description":"Number of the last wake"},                        \
        "description":{"type":["string","null"]})

const struct openrpc_schema schemas[] = {
        {"Handle", "{\"type\":\"object\",\"properties\":{" HANDLE_MEMBERS "}}"},
        {"Status", "{\"type\":\"object\",\"properties\":{" HANDLE_MEMBERS "," SCHEMA(
                "has_action":{"type":"boolean"},
                "why":{"type":"object","properties":{
                        "sentence":{"type":"string"},
                        "until_ms":{"type":["integer","null"],"description":"Unix time"},
                        "since_ms":{"type":["integer","null"],"description":"Unix time"},
                        "by_uid":{"type":["integer","null"],"description":"Who paused it"},
                        "group":{"type":["string","null"],"description":"Which one is full"},
                        "attempt":{"type":"integer","description":"Runs that failed in a row"},
                        "attempts":{"type":"integer","description":"How many may; 0: any"}}},
                "run":{"type":["object","null"],"description":"The run that goes on","properties":{
                        "seq":{"type":"integer"},
                        "pid":{"type":["integer","null"]},
                        "running_ms":{"type":"integer"}}},
                "last_run":{"oneOf":[{"$ref":"#/components/schemas/Run"},{"type":"null"}]}
        ) "}}"},
        {"Run", SCHEMA({"type":"object","properties":{
                "seq":{"type":"integer","description":"The last wake that it covers"},
                "sends":{"type":"integer"},
                "outcome":{"enum":["exited","signaled","timed_out","not_started"]},
                "status":{"type":"integer","description":"Exit code, signal, or negative errno"},
                "success":{"type":"boolean"},
                "started_ms":{"type":["integer","null"],"description":"Unix time"},
                "duration_ms":{"type":"integer"},
                "complaint":{"type":["string","null"],"description":
                        "If it failed: the beginning of its standard error, or why it could not be started, or do what it is for"}}})},
        {"Sent", SCHEMA({"type":"object","properties":{
                "ticket":{"type":"integer","description":"Number of the wake that covers the send"},
                "disposition":{"enum":["scheduled","coalesced","behind_run","delayed","paused"]},
                "seq":{"type":"integer","description":"With wait: the first wake that covers it"},
                "sends":{"type":"integer","description":"With wait: how many that wake covers"},
                "run":{"$ref":"#/components/schemas/Run"}},
                "required":["ticket","disposition"]})},
        {"Waited", SCHEMA({"type":"object","properties":{
                "seq":{"type":"integer"},
                "sends":{"type":["integer","null"],"description":"null: it was in the past"}}})},
        {"Subscription", SCHEMA({"type":"object","properties":{
                "patterns":{"type":"array","items":{"type":"string"}},
                "handles":{"type":"integer","description":"How many they cover now"}}})},
        {"Attachment", SCHEMA({"type":"object","properties":{
                "version":{"const":1,"description":"Of the memory's layout"},
                "handles":{"type":"integer","description":"How many words the memory has"},
                "bytes":{"type":"integer","description":"How long the memory is"}}})},
        {"Histogram", SCHEMA({"type":["object","null"],"properties":{
                "count":{"type":"integer"},
                "p50":{"type":"integer"},
                "p90":{"type":"integer"},
                "p99":{"type":"integer"},
                "max":{"type":"integer"}}})},
        {"Stats", SCHEMA({"type":"object","properties":{
                "name":{"type":"string","description":"Of a handle"},
                "uptime_ms":{"type":"integer","description":"Of the daemon"},
                "handles":{"type":"integer","description":"Of the daemon"},
                "sends":{"type":"integer"},
                "wakes":{"type":"integer"},
                "coalesced":{"type":"integer"},
                "runs":{"type":"integer"},
                "runs_failed":{"type":"integer"},
                "wake_latency_ns":{"$ref":"#/components/schemas/Histogram"},
                "run_duration_ns":{"$ref":"#/components/schemas/Histogram"},
                "control":{"type":"object","description":"Of the daemon","properties":{
                        "clients":{"type":"integer"},
                        "clients_total":{"type":"integer"},
                        "clients_refused":{"type":"integer"},
                        "requests":{"type":"integer"},
                        "errors":{"type":"integer"},
                        "notifications":{"type":"integer"},
                        "missed":{"type":"integer"},
                        "watched":{"type":"integer","description":
                                "Handles that clients have subscribed to, once for each client"},
                        "attachments":{"type":"integer"}}},
                "poke":{"type":"object","description":"Of the daemon","properties":{
                        "datagrams":{"type":"integer"},
                        "sends":{"type":"integer"},
                        "errors":{"type":"integer"},
                        "replies_lost":{"type":"integer"}}}},
                "required":["sends","wakes","coalesced","runs","runs_failed"]})},
        {"Reloaded", SCHEMA({"type":"object","properties":{
                "added":{"type":"array","items":{"type":"string"}},
                "changed":{"type":"array","items":{"type":"string"}},
                "removed":{"type":"array","items":{"type":"string"}}}})},
        {"Version", SCHEMA({"type":"object","properties":{
                "name":{"const":"roused"},
                "version":{"type":"string"},
                "pid":{"type":"integer"}}})},
        {},
};

/* clang-format on */
