/*
 * many BASE_URL: ten thousand organizations in one process: the time for each token, and the memory of each. Then the same with bare
 * copies from as many places, which shows what the machine's caches take.
 */
#include <stdatomic.h>
#include <stdint.h>
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

/* A place: its handle, a mark in the handle, a number to look at, a text to copy, a count. */
struct place {
    _Atomic uint64_t number, hits;
    char text[64];
};

struct handle {
    uint64_t mark;
    struct place *place;
};

static struct handle *handles[MANY];

static void copy(struct handle *handle) {
    char *copy = NULL;
    if (handle->mark == 1 && atomic_load_explicit(&handle->place->number, memory_order_acquire) != 0) {
        copy = malloc(sizeof handle->place->text + 17);
        memcpy(copy, handle->place->text, sizeof handle->place->text);
        __asm__ volatile("" : : "r"(copy) : "memory");
        atomic_fetch_add_explicit(&handle->place->hits, 1, memory_order_relaxed);
    }
    free(copy);
}

static void all_copies(void) {
    int i;
    for (i = 0; i < CALLS; i++) {
        copy(handles[i % MANY]);
    }
}

static void one_copy(void) {
    int i;
    for (i = 0; i < CALLS; i++) {
        copy(handles[0]);
    }
}

/* In a KiB each, and in an order that no prefetcher guesses. */
static void make_places(void) {
    int i;
    for (i = 0; i < MANY; i++) {
        struct place *place = aligned_alloc(64, 128);
        struct handle *handle = malloc(sizeof *handle);
        int other = rand() % (i + 1);
        memset(malloc(800), 1, 800);
        memset(place->text, 'a', sizeof place->text);
        place->number = 1;
        place->hits = 0;
        handle->mark = 1;
        handle->place = place;
        handles[i] = handles[other];
        handles[other] = handle;
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
    make_places();
    compare("10,000 places", all_copies, "1 place", one_copy, CALLS);
    return EXIT_SUCCESS;
}
