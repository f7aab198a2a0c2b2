/* The C interface as a C program uses it. Prints `ok - …` or `not ok - …` a test; TPS_BASE_URL, TPS_USERNAME, TPS_PASSWORD
 * and TPS_ORGANIZATION_ID name a fresh organization of the test server. In all, it sends 4 logins: 1 cold, 1 wrong,
 * 1 after a rejection, 1 after a logout. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tps.h>

#include "server.h"

static int failures;
static const char *username, *password, *organization;
static char options[512];

static void check(int holds, const char *what) {
    printf("%s - %s\n", holds ? "ok" : "not ok", what);
    failures += !holds;
}

/* Whether the error has this status and its message this word; releases it. */
static int is(tps_error *error, int status, const char *word) {
    int right = error != NULL && error->status == status && strstr(error->message, word) != NULL &&
                strstr(error->message, password) == NULL && strchr(error->message, '\n') == NULL;
    if (!right) {
        printf("# status %d: %s\n", error != NULL ? (int)error->status : -1, error != NULL ? error->message : "no error");
    }
    tps_free(error);
    return right;
}

static tps_client *log_in(tps_error **error) {
    return tps_login(username, password, organization, options, error);
}

static void refused(const char *u, const char *p, const char *o, const char *json, const char *word) {
    char what[128];
    tps_error *error = NULL;
    tps_client *client = tps_login(u, p, o, json, &error);
    snprintf(what, sizeof what, "an argument error names %s", word);
    check(client == NULL && is(error, TPS_INVALID_ARGUMENT, word), what);
}

static void arguments(void) {
    tps_error *error = NULL;
    refused(NULL, password, organization, options, "username");
    refused(username, NULL, organization, options, "password");
    refused(username, password, NULL, options, "organization_id");
    refused("", password, organization, options, "username");
    refused(username, "", organization, options, "password");
    refused(username, password, "", options, "organization_id");
    refused("\xff\xfe", password, organization, options, "username");
    refused(username, password, organization, "\xff", "options");
    refused(username, password, organization, "[]", "options");
    refused(username, password, organization, "{\"timeout\":1}", "timeout_ms");
    refused(username, password, organization, "{\"timeout_ms\":\"1\"}", "timeout_ms");
    refused(username, password, organization, "{\"base_url\":\"http://example.com\"}", "https");
    refused(username, password, organization, "{\"cache\":\"redis://:p@\"}", "Redis");
    check(tps_login(NULL, NULL, NULL, NULL, NULL) == NULL, "an error that nobody wants is not made");

    check(tps_token(NULL, &error) == NULL && is(error, TPS_INVALID_ARGUMENT, "client"), "tps_token(NULL)");
    error = NULL;
    check(tps_stats(NULL, &error) == NULL && is(error, TPS_INVALID_ARGUMENT, "client"), "tps_stats(NULL)");
    error = NULL;
    check(tps_wait(NULL, 0, &error) == -1 && is(error, TPS_INVALID_ARGUMENT, "client"), "tps_wait(NULL)");
    error = NULL;
    check(tps_logout(NULL, &error) == -1 && is(error, TPS_INVALID_ARGUMENT, "client"), "tps_logout(NULL)");
    error = NULL;
    error = NULL;
    check(tps_logout_wait(NULL, 0, &error) == -1 && is(error, TPS_INVALID_ARGUMENT, "client"), "tps_logout_wait(NULL)");
    error = NULL;
    check(tps_invalidate(NULL, "t", &error) == -1 && is(error, TPS_INVALID_ARGUMENT, "client"), "tps_invalidate(NULL)");
    check(tps_generation(NULL) == 0, "tps_generation(NULL) is 0");
    check(tps_generation_word(NULL) == NULL, "tps_generation_word(NULL) is NULL");
}

#define THREADS 64

static void *ask(void *client) {
    return tps_token(client, NULL);
}

static void threads(tps_client *client) {
    pthread_t started[THREADS];
    void *token[THREADS];
    int i, equal = 1;
    for (i = 0; i < THREADS; i++) {
        if (pthread_create(&started[i], NULL, ask, client) != 0) {
            abort();
        }
    }
    for (i = 0; i < THREADS; i++) {
        pthread_join(started[i], &token[i]);
        equal = equal && token[i] != NULL && strcmp(token[i], token[0]) == 0;
    }
    for (i = 0; i < THREADS; i++) {
        tps_free(token[i]);
    }
    check(equal, "64 threads get one token");
}

static void life_of_a_token(void) {
    char lazy[sizeof options + 16];
    tps_error *error = NULL, *untouched;
    tps_client *client, *same;
    uint64_t number;
    char *token, *again, *stats;
    int slice, slices = 0;

    snprintf(lazy, sizeof lazy, "{\"lazy\":true,%s", options + 1);
    client = tps_login(username, password, organization, lazy, &error);
    check(client != NULL && tps_generation(client) == 0, "a lazy client has no token yet");
    threads(client);
    number = tps_generation(client);
    check(number != 0, "then it has");
    check(tps_wait(client, 0, &error) == 1, "tps_wait finds it at once");

    same = tps_login(username, password, organization, lazy, &error);
    check(same == client, "the same arguments give the same client");
    tps_free(same);
    check(tps_generation(client) == number, "which lives until its last release");
    same = log_in(&error);
    check(same != NULL && same != client && tps_generation(same) == number, "other options give another one with the same token");
    tps_free(same);

    check(tps_login(username, "wrong", organization, options, &error) == NULL && is(error, TPS_CREDENTIALS, "refuses"),
          "a wrong password is refused");
    error = NULL;

    token = tps_token(client, &error);
    check(tps_invalidate(client, "another", &error) == 0 && tps_generation(client) == number, "a late report changes nothing");
    check(tps_invalidate(client, "", &error) == -1 && is(error, TPS_INVALID_ARGUMENT, "token"), "an empty token is refused");
    error = NULL;
    check(tps_invalidate(client, NULL, &error) == -1 && is(error, TPS_INVALID_ARGUMENT, "token"), "so is NULL");
    error = NULL;
    check(tps_invalidate(client, token, &error) == 0 && tps_generation(client) == 0, "a rejected token is not at hand");
    check(tps_wait(client, 10000, &error) == 1 && tps_generation(client) == number, "but stays when the server takes it");
    revoke_all();
    check(tps_invalidate(client, token, &error) == 0 && tps_generation(client) == 0, "one that is gone is not at hand");
    again = tps_token(client, &error);
    check(again != NULL && strcmp(token, again) != 0 && tps_generation(client) > number, "and replaced under another number");
    tps_free(again);

    while ((slice = tps_logout_wait(client, 50, &error)) == 0) {
        slices++;
    }
    check(slice == 1 && tps_generation(client) == 0, "a logout in slices forgets");
    check(tps_logout(client, &error) == 0 && tps_logout_wait(client, 0, &error) >= 0, "without a token there is nothing to do");
    check(tps_wait(client, 10000, &error) == 1, "and the client would log in anew");

    stats = tps_stats(client, &error);
    check(stats != NULL && strstr(stats, "\"logins\":3") != NULL && strstr(stats, "\"kind\":\"logout\"") != NULL &&
              strstr(stats, password) == NULL && strstr(stats, token) == NULL && slices < 1000,
          "stats count the logins, tell the events, and show no secret");
    tps_free(stats);
    tps_free(token);

    untouched = error = (tps_error *)&number;
    again = tps_token(client, &error);
    check(again != NULL && error == untouched, "on success *error is left alone");
    tps_free(again);
    tps_free(client);
}

/* A first login at `base_url` fails so, and is not sent again. */
static void fails(const char *base_url, const char *id, int status, int http_status, int64_t retry_after_ms, const char *what) {
    char json[600];
    tps_error *error = NULL;
    tps_client *client;
    int right;
    snprintf(json, sizeof json, "{\"base_url\":\"%s\",\"cache\":\"memory\",\"timeout_ms\":1500}", base_url);
    client = tps_login(username, password, id, json, &error);
    right = error != NULL && error->http_status == http_status && error->retry_after_ms >= retry_after_ms;
    check(is(error, status, "") && right && client == NULL, what);
}

static void fault(const char *scenario, int status, int http_status, int64_t retry_after_ms) {
    char base_url[300];
    snprintf(base_url, sizeof base_url, "%s/%s/%s", getenv("TPS_TEST_FAULTS"), scenario, organization);
    fails(base_url, organization, status, http_status, retry_after_ms, scenario);
}

static void answers(void) {
    fails(getenv("TPS_BASE_URL"), "nope", TPS_CREDENTIALS, 400, 59000, "an unknown organization");
    fails("http://127.0.0.1:1", organization, TPS_NETWORK, 0, 400, "nothing listens");
    fault("wrong-password", TPS_CREDENTIALS, 400, 59000);
    fault("limit-403", TPS_TOKEN_LIMIT, 403, 299000);
    fault("retry-after-seconds60", TPS_THROTTLED, 429, 59000);
    fault("html500", TPS_SERVER, 500, 400);
    fault("hang", TPS_OUTCOME_UNKNOWN, 0, 400);
}

static void foreign_memory(void) {
    /* With its own bytes in front, as a string of PHP's has. */
    static char memory[64] __attribute__((aligned(16))) = "not the library's";
    tps_error *error = NULL;
    tps_free(NULL);
    tps_free(memory + 16);
    tps_free(memory + 17);
    check(strcmp(memory, "not the library's") == 0, "tps_free leaves foreign memory alone");
    check(tps_token((tps_client *)(memory + 16), &error) == NULL && is(error, TPS_INVALID_ARGUMENT, "client"),
          "and it is no client");
}

int main(void) {
    username = getenv("TPS_USERNAME");
    password = getenv("TPS_PASSWORD");
    organization = getenv("TPS_ORGANIZATION_ID");
    snprintf(options, sizeof options, "{\"base_url\":\"%s\",\"cache\":\"memory\"}", getenv("TPS_BASE_URL"));
    check(strcmp(tps_version(), getenv("TPS_VERSION")) == 0, "tps_version is the package's");
    arguments();
    life_of_a_token();
    answers();
    foreign_memory();
    return failures != 0;
}
