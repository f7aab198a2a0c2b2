/* A host that sets environment variables while a login is under way on the library's thread. Prints `token TOKEN`, or
 * `status NUMBER MESSAGE`. Options are taken from TPS_TEST_OPTIONS; `environment quiet` sets nothing. */
#include <stdio.h>
#include <stdlib.h>

#include <tps.h>

int main(int count, char **arguments) {
    (void)arguments;
    tps_error *error = NULL;
    tps_client *client = tps_login("hari@example.com", "welcome", "auhf2k", getenv("TPS_TEST_OPTIONS"), &error);
    int had = client == NULL ? -1 : tps_wait(client, 0, &error);
    for (int i = 0; had == 0; i++) {
        if (count == 1) {
            /* Each new name makes libc move the list that another thread may be reading. */
            char name[32];
            snprintf(name, sizeof name, "TPS_TEST_%d", i);
            setenv(name, "a value that is neither short nor long", 1);
        }
        had = tps_wait(client, count == 1 && i < 20000 ? 0 : 20, &error);
    }
    if (had < 0) {
        printf("status %d %s\n", error->status, error->message);
        return 1;
    }
    char *token = tps_token(client, NULL);
    printf("token %s\n", token);
    tps_free(token);
    tps_free(client);
    return 0;
}
