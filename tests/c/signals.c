/* A signal every millisecond, without SA_RESTART, while waiting and logging in: no call fails. Sends 2 logins. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include <tps.h>

#include "server.h"

static volatile sig_atomic_t signals;
static int failures;

static void count(int number) {
    (void)number;
    signals++;
}

static void check(int holds, const char *what, tps_error *error) {
    printf("%s - %s%s%s\n", holds ? "ok" : "not ok", what, error != NULL ? ": " : "", error != NULL ? error->message : "");
    failures += !holds;
}

int main(void) {
    struct sigaction action;
    struct itimerval every = {{0, 1000}, {0, 1000}};
    char options[512], *token;
    tps_client *client;
    tps_error *error = NULL;

    memset(&action, 0, sizeof action);
    action.sa_handler = count;
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &every, NULL);

    snprintf(options, sizeof options, "{\"base_url\":\"%s\",\"cache\":\"%s\"}", getenv("TPS_BASE_URL"), getenv("TPS_CACHE"));
    client = tps_login(getenv("TPS_USERNAME"), getenv("TPS_PASSWORD"), getenv("TPS_ORGANIZATION_ID"), options, &error);
    check(client != NULL, "a login under signals", error);
    if (client == NULL) {
        return 1;
    }
    token = tps_token(client, &error);
    check(token != NULL, "a token under signals", error);
    revoke_all();
    check(tps_invalidate(client, token, &error) == 0, "a rejection under signals", error);
    tps_free(token);
    check(tps_wait(client, 100, &error) == 0, "a wait that ends first", error);
    check(tps_wait(client, 10000, &error) == 1, "a wait that goes on", error);
    check(tps_logout(client, &error) == 0, "a logout under signals", error);
    check(signals > 500, "there were signals", NULL);
    tps_free(client);
    return failures != 0;
}
