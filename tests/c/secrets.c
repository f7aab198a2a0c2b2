/* Looks for secrets in the memory of its own process. Everything secret comes and is kept veiled, so that the program itself
 * holds no copy: hexadecimal numbers, each byte turned by 0x5a. TPS_TEST_PASSWORD and TPS_TEST_OPTIONS come so, and
 * TPS_TEST_SECRETS, the words to look for, with commas between them.
 *
 * Prints how often it found what: `client TOKEN PASSWORD...` while it has a client and `released TOKEN PASSWORD...` after
 * that, PASSWORD and what follows being those words. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <tps.h>

#define VEIL 0x5a
#define WORDS 8
#define ROOM (64 * 1024 * 1024)

struct word {
    size_t length;
    unsigned char veiled[256];
};

static struct word words[WORDS];
static size_t number = 1;
static unsigned char *copy;

static size_t unhex(const char *text, size_t length, unsigned char *to) {
    for (size_t i = 0; i + 1 < length; i += 2) {
        unsigned byte;
        sscanf(text + i, "%2x", &byte);
        to[i / 2] = (unsigned char)byte;
    }
    return length / 2;
}

/* In memory of its own, which the caller wipes. */
static char *unveiled(const char *name) {
    const char *text = getenv(name);
    size_t length = strlen(text) / 2;
    char *plain = calloc(length + 1, 1);
    unhex(text, strlen(text), (unsigned char *)plain);
    for (size_t i = 0; i < length; i++) {
        plain[i] ^= VEIL;
    }
    return plain;
}

static void wipe(char *plain) {
    explicit_bzero(plain, strlen(plain));
    free(plain);
}

static size_t found(const unsigned char *from, size_t size, const struct word *word) {
    size_t times = 0;
    unsigned char first = word->veiled[0] ^ VEIL;
    const unsigned char *end = from + size;
    while (size >= word->length && (from = memchr(from, first, (size_t)(end - from))) != NULL) {
        size_t i = 1;
        while (i < word->length && from + i < end && (from[i] ^ VEIL) == word->veiled[i]) {
            i++;
        }
        times += i == word->length;
        from++;
    }
    return times;
}

/* Counts each word in all that this process can write to, but for the copy that is searched. Returns the highest count of all
   words but the first. */
static size_t search(size_t *times) {
    size_t most = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    int memory = open("/proc/self/mem", O_RDONLY);
    char line[512];
    memset(times, 0, WORDS * sizeof *times);
    while (fgets(line, sizeof line, maps) != NULL) {
        uintptr_t start, end;
        char mode[5];
        if (sscanf(line, "%lx-%lx %4s", &start, &end, mode) != 3 || mode[0] != 'r' || mode[1] != 'w' ||
            (start <= (uintptr_t)copy && (uintptr_t)copy < end)) {
            continue;
        }
        for (uintptr_t at = start; at < end; at += ROOM / 2) {
            /* Overlapping by no more than a word would need, so that none is counted twice. */
            size_t size = end - at < ROOM / 2 ? end - at : ROOM / 2;
            ssize_t got = pread(memory, copy, size, (off_t)at);
            for (size_t i = 0; got > 0 && i < number; i++) {
                times[i] += found(copy, (size_t)got, &words[i]);
            }
            explicit_bzero(copy, size);
        }
    }
    fclose(maps);
    close(memory);
    for (size_t i = 1; i < number; i++) {
        most = times[i] > most ? times[i] : most;
    }
    return most;
}

/* Says it, once the login's thread has let go of what it had: in five seconds at most. */
static void tell(const char *when, size_t most) {
    size_t times[WORDS];
    for (int i = 0; i < 50 && search(times) > most; i++) {
        usleep(100 * 1000);
    }
    printf("%s", when);
    for (size_t i = 0; i < number; i++) {
        printf(" %zu", times[i]);
    }
    printf("\n");
}

int main(void) {
    copy = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (const char *text = getenv("TPS_TEST_SECRETS"); *text != '\0'; number++) {
        size_t length = strcspn(text, ",");
        words[number].length = unhex(text, length, words[number].veiled);
        text += length + (text[length] == ',');
    }
    char *password = unveiled("TPS_TEST_PASSWORD"), *options = unveiled("TPS_TEST_OPTIONS");
    tps_error *error = NULL;
    tps_client *client = tps_login("hari@example.com", password, "auhf2k", options, &error);
    wipe(password);
    wipe(options);
    char *token = client == NULL ? NULL : tps_token(client, &error);
    if (token == NULL) {
        printf("status %d %s\n", error->status, error->message);
        return 1;
    }
    words[0].length = strlen(token);
    for (size_t i = 0; i < words[0].length; i++) {
        words[0].veiled[i] = (unsigned char)token[i] ^ VEIL;
    }
    tps_free(token);
    tell("client", 1);
    tps_free(client);
    tell("released", 0);
    return 0;
}
