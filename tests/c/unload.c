/* A host that loads the library, calls it, and unloads it, a hundred times: the token stays. Sends 1 login.
 * argv[1]: the library. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef void *login_function(const char *, const char *, const char *, const char *, void *);
typedef char *token_function(void *, void *);
typedef void free_function(void *);

static token_function *get_token;
static void *client;
static volatile int called, unloaded;

/* Has called the library, and ends after it was unloaded: what it keeps for the thread is cleaned up then. */
static void *late(void *nothing) {
    get_token(client, NULL);
    called = 1;
    while (!unloaded) {
        usleep(1000);
    }
    return nothing;
}

int main(int argc, char **argv) {
    char options[512], *token, *first = NULL;
    int i;
    (void)argc;
    snprintf(options, sizeof options, "{\"base_url\":\"%s\",\"cache\":\"memory\"}", getenv("TPS_BASE_URL"));
    for (i = 0; i < 100; i++) {
        pthread_t thread;
        void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
        if (library == NULL) {
            printf("not ok - %s\n", dlerror());
            return 1;
        }
        *(void **)&get_token = dlsym(library, "tps_token");
        client = ((login_function *)dlsym(library, "tps_login"))(getenv("TPS_USERNAME"), getenv("TPS_PASSWORD"),
                                                                 getenv("TPS_ORGANIZATION_ID"), options, NULL);
        token = client != NULL ? get_token(client, NULL) : NULL;
        if (token == NULL || (first != NULL && strcmp(first, token) != 0)) {
            printf("not ok - another token, or none, at time %d\n", i);
            return 1;
        }
        if (first == NULL) {
            first = strdup(token);
        }
        called = unloaded = 0;
        pthread_create(&thread, NULL, late, NULL);
        while (!called) {
            usleep(100);
        }
        ((free_function *)dlsym(library, "tps_free"))(token);
        ((free_function *)dlsym(library, "tps_free"))(client);
        dlclose(library);
        unloaded = 1;
        pthread_join(thread, NULL);
    }
    free(first);
    printf("ok - loaded, called and unloaded a hundred times\n");
    return 0;
}
