/* The word that bindings read instead of calling tps_generation. The organization's tokens do not expire. Sends 2 logins: 1
 * cold, 1 after a logout. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tps.h>

static int failures;

static void check(int holds, const char *what) {
    printf("%s - %s\n", holds ? "ok" : "not ok", what);
    failures += !holds;
}

/* What the word says, and whether tps_generation says the same. */
static int word_is(tps_client *client, uint64_t number) {
    return __atomic_load_n(tps_generation_word(client), __ATOMIC_ACQUIRE) == number && tps_generation(client) == number;
}

int main(void) {
    tps_error *error = NULL;
    tps_client *client;
    const uint64_t *word;
    char options[512], *token;
    uint64_t number;
    pid_t child;
    int status = -1;

    snprintf(options, sizeof options, "{\"base_url\":\"%s\",\"cache\":\"memory\"}", getenv("TPS_BASE_URL"));
    client = tps_login(getenv("TPS_USERNAME"), getenv("TPS_PASSWORD"), getenv("TPS_ORGANIZATION_ID"), options, &error);
    word = tps_generation_word(client);
    token = tps_token(client, &error);
    number = tps_generation(client);
    check(word != NULL && number != 0 && word_is(client, number), "the word is the number of a token without expiry");
    child = fork();
    if (child == 0) {
        int same = word_is(client, number);
        tps_invalidate(client, token, NULL);
        _exit(same && word_is(client, 0) ? 0 : 1);
    }
    waitpid(child, &status, 0);
    check(status == 0 && word_is(client, number), "a child's word is its own");
    check(tps_invalidate(client, token, &error) == 0 && word_is(client, 0), "the word of a rejected token is 0");
    check(tps_wait(client, 10000, &error) == 1 && word_is(client, number), "until the server takes it after all");
    check(tps_logout(client, &error) == 0 && word_is(client, 0), "without a token it is 0");
    check(tps_wait(client, 10000, &error) == 1 && tps_generation(client) > number && word == tps_generation_word(client) &&
              word_is(client, tps_generation(client)),
          "and the next token's afterwards, in the same place");
    tps_free(token);
    tps_free(client);
    return failures != 0;
}
