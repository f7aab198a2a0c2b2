/* Forks at any instant: while eight threads hammer tps_token, while a login is under way, while the store's lock is held.
 * The server is slow (0.3 s a login) and sets no limit; in all, 28 logins are sent. Needs TPS_CACHE, a file store. */
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <tps.h>

#define HAMMERS 8
#define ASKERS 4

static tps_client *client;
static volatile int stop;
static int failures;

static void check(int holds, const char *what) {
    printf("%s - %s\n", holds ? "ok" : "not ok", what);
    fflush(stdout);
    failures += !holds;
}

static void *hammer(void *nothing) {
    while (!stop) {
        tps_free(tps_token(client, NULL));
    }
    return nothing;
}

static void *ask(void *nothing) {
    (void)nothing;
    return tps_token(client, NULL);
}

/* A child that asks from four threads and ends: 0 when each had a token. One that hangs is ended by its alarm. */
static pid_t asking_child(void) {
    pthread_t thread[ASKERS];
    void *token;
    int i, had = 0;
    pid_t child = fork();
    if (child != 0) {
        return child;
    }
    alarm(20);
    for (i = 0; i < ASKERS; i++) {
        if (pthread_create(&thread[i], NULL, ask, NULL) != 0) {
            _exit(3);
        }
    }
    for (i = 0; i < ASKERS; i++) {
        pthread_join(thread[i], &token);
        had += token != NULL;
        tps_free(token);
    }
    _exit(had == ASKERS ? 0 : 2);
}

/* How many of the children did not end well. */
static int reap(int children) {
    int status, bad = 0;
    while (children-- > 0) {
        if (wait(&status) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
            bad++;
            printf("# status %x\n", status);
        }
    }
    return bad;
}

static int descriptors(void) {
    int count = 0;
    DIR *directory = opendir("/proc/self/fd");
    while (readdir(directory) != NULL) {
        count++;
    }
    closedir(directory);
    return count;
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void pause_ms(long milliseconds) {
    struct timespec time = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    nanosleep(&time, NULL);
}

/* Starts a login: the current token was given back. */
static void begin_login(void) {
    tps_free(tps_token(client, NULL));
    if (tps_logout(client, NULL) != 0) {
        printf("not ok - logout\n");
        failures++;
    }
    tps_wait(client, 0, NULL);
}

int main(void) {
    char options[512];
    pthread_t hammers[HAMMERS];
    tps_error *error = NULL;
    int before, i, j, bad = 0;
    double start;
    char *token;
    pid_t sleeper;

    snprintf(options, sizeof options, "{\"base_url\":\"%s\",\"cache\":\"%s\",\"logins_per_day\":0}", getenv("TPS_BASE_URL"), getenv("TPS_CACHE"));
    client = tps_login(getenv("TPS_USERNAME"), getenv("TPS_PASSWORD"), getenv("TPS_ORGANIZATION_ID"), options, &error);
    if (client == NULL) {
        printf("not ok - login: %s\n", error->message);
        return 1;
    }
    before = descriptors();

    for (i = 0; i < HAMMERS; i++) {
        pthread_create(&hammers[i], NULL, hammer, NULL);
    }
    for (i = 0; i < 50; i++) {
        for (j = 0; j < 5; j++) {
            asking_child();
        }
        bad += reap(5);
    }
    check(bad == 0, "250 children of a process whose threads ask");

    bad = 0;
    for (i = 0; i < 25; i++) {
        begin_login();
        for (j = 0; j < 10; j++) {
            asking_child();
            pause_ms(5);
        }
        bad += reap(10);
    }
    check(bad == 0, "250 children of a process that logs in");
    stop = 1;
    for (i = 0; i < HAMMERS; i++) {
        pthread_join(hammers[i], NULL);
    }

    begin_login();
    pause_ms(100);
    sleeper = fork();
    if (sleeper == 0) {
        /* Not by stdio, whose buffer is the parent's too. */
        const char *verdict = descriptors() == before ? "ok" : "not ok";
        dprintf(1, "%s - a child has none of the login's descriptors\n", verdict);
        sleep(30);
        _exit(0);
    }
    token = tps_token(client, &error);
    check(token != NULL, "a login goes on in the parent");
    tps_free(token);
    start = seconds();
    begin_login();
    token = tps_token(client, &error);
    check(token != NULL && seconds() - start < 10, "the child does not hold the store's lock");
    tps_free(token);
    kill(sleeper, SIGKILL);
    waitpid(sleeper, NULL, 0);

    bad = 0;
    for (i = 0; i < 20; i++) {
        tps_free(tps_token(client, NULL));
        tps_logout_wait(client, 0, NULL);
        pause_ms(i / 2);
        if (fork() == 0) {
            _exit(descriptors() != before);
        }
        bad += reap(1);
        tps_logout_wait(client, 10000, NULL);
    }
    check(bad == 0, "20 children of a process that logs out have none of its descriptors");
    check(descriptors() == before, "no descriptor is left behind");
    tps_free(client);
    return failures != 0;
}
