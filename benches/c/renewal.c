/* renewal BASE_URL: what a token costs while another thread waits for its successor, beside the same without. The server gives
 * a token of 30 s, and the next one only after 4 s. Takes half a minute. One JSON object: 99.9th percentiles. */
#include <stdlib.h>
#include <unistd.h>

#include "measure.h"

enum { SAMPLES = 200000 };

static tps_client *client;
static double samples[SAMPLES];

static int by_size(const void *left, const void *right) {
    const double *l = left, *r = right;
    return (*l > *r) - (*l < *r);
}

static double percentile(void) {
    int i;
    for (i = 0; i < SAMPLES; i++) {
        double start = seconds();
        tps_free(tps_token(client, NULL));
        samples[i] = (seconds() - start) * 1e9;
    }
    qsort(samples, SAMPLES, sizeof *samples, by_size);
    return samples[SAMPLES / 1000 * 999];
}

int main(int count, char **arguments) {
    double without, with, end = seconds() + 60;
    uint64_t number;
    (void)count;
    client = log_in(arguments[1], "hari@example.com", "welcome", "auhf2k");
    /* From here on it asks, and after 10 s it would renew. Tokens in the second half of their life are read alike. */
    tps_free(tps_token(client, NULL));
    number = tps_generation(client);
    sleep(20);
    without = percentile();
    /* 0 says that somebody should come and renew. */
    while (tps_generation(client) == number && seconds() < end) {
        usleep(500);
    }
    tps_free(tps_token(client, NULL));
    with = percentile();
    if (tps_generation(client) != number) {
        fprintf(stderr, "the renewal did not last\n");
        return EXIT_FAILURE;
    }
    printf("{\"row\": \"renewal\", \"unit\": \"ns\", \"ours\": [%.1f], \"against\": \"without\", \"other\": [%.1f]}\n", with, without);
    return EXIT_SUCCESS;
}
