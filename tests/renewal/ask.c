/* Asks for a token, prints it, takes as long as a request does, and leaves. */
#define _POSIX_C_SOURCE 199309L
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <tps.h>

int main(void) {
    struct timespec request = {0, 100000000};
    tps_error *error = NULL;
    char options[512], *token = NULL;
    tps_client *client;
    snprintf(options, sizeof options, "{\"base_url\":\"%s\",\"cache\":\"%s\",\"refresh_ahead\":%s}", getenv("TPS_BASE_URL"),
             getenv("TPS_CACHE"), getenv("AHEAD"));
    client = tps_login(getenv("TPS_USERNAME"), getenv("TPS_PASSWORD"), getenv("TPS_ORGANIZATION_ID"), options, &error);
    if (client != NULL) {
        token = tps_token(client, &error);
    }
    puts(token != NULL ? token : error->message);
    nanosleep(&request, NULL);
    return token == NULL;
}
