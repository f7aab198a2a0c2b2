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

static void *tokens_in_thread(void *unused) {
    tokens();
    return unused;
}

static void tokens_in_two_threads(void) {
    pthread_t threads[2];
    int i;
    for (i = 0; i < 2; i++) {
        pthread_create(&threads[i], NULL, tokens_in_thread, NULL);
    }
    for (i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
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
    /* The same work twice over: as long as one thread's would be twice as fast. */
    compare(name, tokens_in_two_threads, "one thread", tokens, CALLS);
    tps_free(token);
    tps_free(client);
    return EXIT_SUCCESS;
}
