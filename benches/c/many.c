/* many BASE_URL: ten thousand organizations in one process: the time for each token, and the memory of each. */
#include <stdlib.h>
#include <string.h>

#include "measure.h"

enum { MANY = 10000, CALLS = 1000000 };

static tps_client *clients[MANY];

static void all(void) {
    int i;
    for (i = 0; i < CALLS; i++) {
        tps_free(tps_token(clients[i % MANY], NULL));
    }
}

static void one(void) {
    int i;
    for (i = 0; i < CALLS; i++) {
        tps_free(tps_token(clients[0], NULL));
    }
}

static long resident_kilobytes(void) {
    char line[256];
    long kilobytes = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (fgets(line, sizeof line, status) != NULL) {
        if (strncmp(line, "VmRSS:", 6) == 0) {
            kilobytes = atol(line + 6);
        }
    }
    fclose(status);
    return kilobytes;
}

int main(int count, char **arguments) {
    char organization[30];
    long before;
    int i;
    (void)count;
    /* What a first login allocates for good is not theirs. */
    tps_free(log_in(arguments[1], "hari@example.com", "welcome", "first"));
    before = resident_kilobytes();
    for (i = 0; i < MANY; i++) {
        snprintf(organization, sizeof organization, "organization %d", i);
        clients[i] = log_in(arguments[1], "hari@example.com", "welcome", organization);
    }
    printf("{\"row\": \"memory of an organization\", \"unit\": \"byte\", \"ours\": [%ld], \"against\": \"1 KiB\", \"other\": [1024]}\n",
           (resident_kilobytes() - before) * 1024 / MANY);
    compare("10,000 organizations", all, "1 organization", one, CALLS);
    return EXIT_SUCCESS;
}
