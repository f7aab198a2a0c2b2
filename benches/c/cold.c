/* cold BASE_URL CACHE USERNAME PASSWORD ORGANIZATION [CA_FILE]: microseconds from main() to the token, in a new process. */
#include <stdlib.h>

#include "measure.h"

int main(int count, char **arguments) {
    double start = seconds();
    char options[800];
    tps_error *error = NULL;
    tps_client *client;
    snprintf(options, sizeof options, "{\"base_url\":\"%s\",\"cache\":\"%s\"%s%s%s}", arguments[1], arguments[2],
             count > 6 ? ",\"ca_file\":\"" : "", count > 6 ? arguments[6] : "", count > 6 ? "\"" : "");
    client = tps_login(arguments[3], arguments[4], arguments[5], options, &error);
    if (client == NULL) {
        fprintf(stderr, "%s\n", error->message);
        return EXIT_FAILURE;
    }
    printf("%.1f\n", (seconds() - start) * 1e6);
    tps_free(client);
    return EXIT_SUCCESS;
}
