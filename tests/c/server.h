/* What the programs do at the server besides calling the library. */
#ifndef SERVER_H
#define SERVER_H

#include <stdio.h>
#include <stdlib.h>

/* Revokes all tokens of the organization at the server. */
static void revoke_all(void) {
    char command[512];
    snprintf(command, sizeof command, "curl -sS -o /dev/null -X POST %s/_test/organizations/%s/revoke/", getenv("TPS_BASE_URL"),
             getenv("TPS_ORGANIZATION_ID"));
    if (system(command) != 0) {
        abort();
    }
}

#endif
