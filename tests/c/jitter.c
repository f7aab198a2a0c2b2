/* 32 children whose first login fails draw the length of their hold-off: not all the same. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tps.h>

int main(void) {
    const char *options = "{\"base_url\":\"http://127.0.0.1:1\",\"cache\":\"memory\"}";
    int ends[2], i, j, different = 0;
    int64_t drawn[32];
    tps_error *error = NULL;
    /* The parent has used the library, so the children are like it in all. */
    tps_login("hari@example.com", "welcome", "auhf2k", options, &error);
    tps_free(error);
    if (pipe(ends) != 0) {
        return 1;
    }
    for (i = 0; i < 32; i++) {
        if (fork() == 0) {
            char username[32];
            int64_t wait;
            snprintf(username, sizeof username, "child%d@example.com", i);
            error = NULL;
            tps_login(username, "welcome", "auhf2k", options, &error);
            wait = error != NULL ? error->retry_after_ms : -1;
            _exit(write(ends[1], &wait, sizeof wait) != sizeof wait);
        }
    }
    for (i = 0; i < 32; i++) {
        if (read(ends[0], &drawn[i], sizeof drawn[i]) != sizeof drawn[i] || drawn[i] < 500 || drawn[i] > 1001) {
            printf("not ok - %lld ms\n", (long long)drawn[i]);
            return 1;
        }
        for (j = 0; j < i && drawn[j] != drawn[i]; j++) {
        }
        different += j == i;
    }
    while (wait(NULL) > 0) {
    }
    /* Of 500 numbers 32 are drawn: some may be equal, far from all. */
    printf("%s - %d of 32 children have a hold-off of their own length\n", different >= 20 ? "ok" : "not ok", different);
    return different < 20;
}
