/* A process that ends, or whose parent ends, while its login is under way. Prints `token TOKEN`, or `status NUMBER
 * RETRY_AFTER_MS`, or nothing where it ended before it knew.
 *
 *   ends exit MILLISECONDS    ends by exit() so long after it asked
 *   ends exit sent            ends by exit() once the server has got the login
 *   ends daemon MILLISECONDS  the parent ends so long after it asked, and a child goes on
 *   ends daemon sent          the parent ends once the server has got the login, and a child goes on
 *   ends token                asks and waits
 *
 * TPS_TEST_COUNT is where the server tells how many logins there were. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <tps.h>

#include "server.h"

static tps_client *client;

static void say_error(tps_error *error) {
    printf("status %d %lld\n", error->status, (long long)error->retry_after_ms);
    tps_free(error);
}

static void say_token(void) {
    tps_error *error = NULL;
    char *token = tps_token(client, &error);
    if (token == NULL) {
        say_error(error);
        return;
    }
    printf("token %s\n", token);
    tps_free(token);
}

/* Begins a login; false where none may be sent. */
static int begin_login(const char *until) {
    tps_error *error = NULL;
    int at_once = strcmp(until, "sent") != 0;
    long before = at_once ? 0 : logins();
    int had = tps_wait(client, at_once ? (uint32_t)atoi(until) : 0, &error);
    while (had == 0 && !at_once && logins() == before) {
        had = tps_wait(client, 10, &error);
    }
    if (had < 0) {
        say_error(error);
    }
    return had == 0;
}

int main(int count, char **arguments) {
    const char *how = count > 1 ? arguments[1] : "";
    char options[512];
    snprintf(options, sizeof options, "{\"base_url\":\"%s\",\"cache\":\"%s\",\"lazy\":true}", getenv("TPS_BASE_URL"), getenv("TPS_CACHE"));
    client = tps_login(getenv("TPS_USERNAME"), getenv("TPS_PASSWORD"), getenv("TPS_ORGANIZATION_ID"), options, NULL);

    if (strcmp(how, "token") == 0) {
        say_token();
    } else if (strcmp(how, "exit") == 0) {
        begin_login(arguments[2]);
    } else if (begin_login(arguments[2])) {
        switch (fork()) {
            case -1: return 1;
            case 0: break;
            default: exit(0);
        }
        setsid();
        say_token();
    }
    exit(0);
}
