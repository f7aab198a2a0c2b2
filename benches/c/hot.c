/* The calls that every outgoing request makes, beside what nobody can do without. One JSON object a line. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure.h"

enum { CALLS = 1000000 };

static tps_client *client;
static char *token;
static size_t length;
static _Atomic uint64_t number = 7;

/* What an opaque function that reads an atomic costs. */
__attribute__((noinline)) static uint64_t read_atomic(const void *unused) {
    __asm__ volatile("" : : "r"(unused));
    return atomic_load_explicit(&number, memory_order_acquire);
}

static void copies(void) {
    int i;
    for (i = 0; i < CALLS; i++) {
        char *copy = malloc(length);
        memcpy(copy, token, length);
        __asm__ volatile("" : : "r"(copy) : "memory");
        free(copy);
    }
}

static void tokens(void) {
    int i;
    for (i = 0; i < CALLS; i++) {
        tps_free(tps_token(client, NULL));
    }
}

static void generations(void) {
    int i;
    for (i = 0; i < CALLS; i++) {
        tps_generation(client);
    }
}

static void atomics(void) {
    int i;
    for (i = 0; i < CALLS; i++) {
        read_atomic(client);
    }
}

static void *half_as_many(void *unused) {
    int i;
    for (i = 0; i < CALLS / 2; i++) {
        tps_free(tps_token(client, NULL));
    }
    return unused;
}

static void *as_many(void *unused) {
    tokens();
    return unused;
}

static void in_threads(int count, void *(*work)(void *)) {
    pthread_t threads[4];
    int i;
    for (i = 0; i < count; i++) {
        pthread_create(&threads[i], NULL, work, NULL);
    }
    for (i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
    }
}

static void in_two_threads(void) {
    in_threads(2, as_many);
}

static void in_four_threads(void) {
    in_threads(4, half_as_many);
}

/* hot BASE_URL PREFIX: PREFIX tells apart what is measured with different tokens. */
int main(int count, char **arguments) {
    char name[100];
    (void)count;
    client = log_in(arguments[1], "hari@example.com", "welcome", "auhf2k");
    token = tps_token(client, NULL);
    length = strlen(token) + 1;
    snprintf(name, sizeof name, "%stoken", arguments[2]);
    compare(name, tokens, "copy", copies, CALLS);
    snprintf(name, sizeof name, "%sgeneration", arguments[2]);
    compare(name, generations, "atomic", atomics, CALLS);
    snprintf(name, sizeof name, "%stwo threads", arguments[2]);
    /* The same work twice over on two cores: as long as one thread's would be twice as fast. */
    compare(name, in_two_threads, "one thread", tokens, CALLS);
    snprintf(name, sizeof name, "%sfour threads", arguments[2]);
    compare(name, in_four_threads, "one thread", tokens, CALLS);
    tps_free(token);
    tps_free(client);
    return EXIT_SUCCESS;
}
