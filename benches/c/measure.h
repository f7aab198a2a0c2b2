/* What the programs measure with. */
#ifndef MEASURE_H
#define MEASURE_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <tps.h>

enum { ROUNDS = 15 };

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static double time_of(void (*work)(void)) {
    double start = seconds();
    work();
    return seconds() - start;
}

static void print_samples(const double *samples, int calls) {
    int i;
    for (i = 0; i < ROUNDS; i++) {
        printf("%s%.3f", i == 0 ? "" : ", ", samples[i] / calls * 1e9);
    }
}

/* Both by turns, so that whatever else the machine does meets both. Nanoseconds a call. */
static inline void compare(const char *name, void (*ours)(void), const char *other_name, void (*other)(void), int calls) {
    double mine[ROUNDS], theirs[ROUNDS];
    int i;
    ours();
    other();
    for (i = 0; i < ROUNDS; i++) {
        mine[i] = time_of(ours);
        theirs[i] = time_of(other);
    }
    printf("{\"row\": \"%s\", \"unit\": \"ns\", \"ours\": [", name);
    print_samples(mine, calls);
    printf("], \"against\": \"%s\", \"other\": [", other_name);
    print_samples(theirs, calls);
    printf("]}\n");
}

static inline tps_client *log_in(const char *base_url, const char *username, const char *password, const char *organization) {
    char options[400];
    tps_error *error = NULL;
    tps_client *client;
    snprintf(options, sizeof options, "{\"base_url\":\"%s\",\"cache\":\"memory\"}", base_url);
    client = tps_login(username, password, organization, options, &error);
    if (client == NULL) {
        fprintf(stderr, "%s\n", error->message);
        exit(EXIT_FAILURE);
    }
    return client;
}

#endif
