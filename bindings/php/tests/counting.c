/* Comes between the binding and libtps (TPS_COUNTED), passes everything on and counts what crosses. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tps_error;
struct tps_client;

static const char *const names[] = {"tps_login",  "tps_token",      "tps_free", "tps_invalidate", "tps_logout",
                                    "tps_logout_wait", "tps_generation", "tps_generation_word", "tps_wait", "tps_stats", "tps_version"};
enum { FUNCTIONS = sizeof names / sizeof *names };

static long calls[FUNCTIONS];
static long handed_out;
static long freed;

static void *pass(const char *name)
{
    static void *library;
    if (!library)
        library = dlopen(getenv("TPS_COUNTED"), RTLD_NOW | RTLD_LOCAL);
    void *function = library ? dlsym(library, name) : NULL;
    if (!function) {
        fprintf(stderr, "counting.c: %s\n", dlerror());
        abort();
    }
    for (int i = 0; i < FUNCTIONS; i++)
        if (!strcmp(name, names[i]))
            calls[i]++;
    return function;
}

static void *out(void *object)
{
    handed_out += object != NULL;
    return object;
}

/* The error out of a call that may make one. */
#define WITH_ERROR(type, result, call)                                                                                  \
    struct tps_error *before = *error;                                                                                  \
    type result = call;                                                                                                 \
    handed_out += *error != before;                                                                                     \
    return result

#define PASS(type, ...) ((type(*)(__VA_ARGS__))pass(__func__))

struct tps_client *tps_login(const char *u, const char *p, const char *o, const char *options, struct tps_error **error)
{
    WITH_ERROR(struct tps_client *, client,
               out(PASS(struct tps_client *, const char *, const char *, const char *, const char *,
                        struct tps_error **)(u, p, o, options, error)));
}

char *tps_token(struct tps_client *client, struct tps_error **error)
{
    WITH_ERROR(char *, token, out(PASS(char *, struct tps_client *, struct tps_error **)(client, error)));
}

char *tps_stats(struct tps_client *client, struct tps_error **error)
{
    WITH_ERROR(char *, stats, out(PASS(char *, struct tps_client *, struct tps_error **)(client, error)));
}

int tps_invalidate(struct tps_client *client, const char *token, struct tps_error **error)
{
    WITH_ERROR(int, done, PASS(int, struct tps_client *, const char *, struct tps_error **)(client, token, error));
}

int tps_logout(struct tps_client *client, struct tps_error **error)
{
    WITH_ERROR(int, done, PASS(int, struct tps_client *, struct tps_error **)(client, error));
}

int tps_logout_wait(struct tps_client *client, uint32_t milliseconds, struct tps_error **error)
{
    WITH_ERROR(int, done, PASS(int, struct tps_client *, uint32_t, struct tps_error **)(client, milliseconds, error));
}

int tps_wait(struct tps_client *client, uint32_t milliseconds, struct tps_error **error)
{
    WITH_ERROR(int, done, PASS(int, struct tps_client *, uint32_t, struct tps_error **)(client, milliseconds, error));
}

uint64_t tps_generation(struct tps_client *client)
{
    return PASS(uint64_t, struct tps_client *)(client);
}

const uint64_t *tps_generation_word(struct tps_client *client)
{
    return PASS(const uint64_t *, struct tps_client *)(client);
}

const char *tps_version(void)
{
    return PASS(const char *, void)();
}

void tps_free(void *object)
{
    freed += object != NULL;
    PASS(void, void *)(object);
}

/* What the test reads, as JSON: calls by name, what was handed out, what came back. */
const char *counted(void)
{
    static char text[1024];
    int length = 0;
    for (int i = 0; i < FUNCTIONS; i++)
        length += snprintf(text + length, sizeof text - length, "%s\"%s\":%ld", i ? "," : "{", names[i], calls[i]);
    snprintf(text + length, sizeof text - length, ",\"handed_out\":%ld,\"freed\":%ld}", handed_out, freed);
    return text;
}
