/* Prints the token. With the argument `replace`: reports it as rejected, and prints the next one. */
#include <stdio.h>
#include <stdlib.h>

#include <tps.h>

int main(int count, char **arguments) {
    tps_error *error = NULL;
    char options[512], *token = NULL;
    tps_client *client;
    (void)arguments;
    snprintf(options, sizeof options, "{\"base_url\":\"%s\",\"cache\":\"%s\"}", getenv("TPS_BASE_URL"), getenv("TPS_CACHE"));
    client = tps_login(getenv("TPS_USERNAME"), getenv("TPS_PASSWORD"), getenv("TPS_ORGANIZATION_ID"), options, &error);
    if (client != NULL) {
        token = tps_token(client, &error);
    }
    if (token != NULL && count > 1) {
        int told = tps_invalidate(client, token, &error);
        tps_free(token);
        token = told == 0 ? tps_token(client, &error) : NULL;
    }
    puts(token != NULL ? token : error->message);
    return token == NULL;
}
