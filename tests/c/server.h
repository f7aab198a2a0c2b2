/* What the programs do at the server besides calling the library. */
#ifndef SERVER_H
#define SERVER_H

#include <stdio.h>
#include <stdlib.h>

/* Revokes all tokens of the organization at the server. */
static inline void revoke_all(void) {
    char command[512];
    snprintf(command, sizeof command, "curl -sS -o /dev/null -X POST %s/_test/organizations/%s/revoke/", getenv("TPS_BASE_URL"),
             getenv("TPS_ORGANIZATION_ID"));
    if (system(command) != 0) {
        abort();
    }
}

/* How many logins the server has got. */
static inline long logins(void) {
    char command[512], answer[32] = "";
    snprintf(command, sizeof command, "curl -sS %s | grep -o '\"logins\": *[0-9]*' | grep -o '[0-9]*'", getenv("TPS_TEST_COUNT"));
    FILE *pipe = popen(command, "r");
    if (pipe == NULL || fgets(answer, sizeof answer, pipe) == NULL || pclose(pipe) != 0) {
        abort();
    }
    return atol(answer);
}

#endif
