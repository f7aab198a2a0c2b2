/* The documentation's sample, made right: logs in once, and then reuses the token for every call.
 *
 *   cc examples/c/login.c -o login $(pkg-config --cflags --libs libcurl jansson) -Iinclude -Ltarget/release -ltps
 *   export TPS_USERNAME=… TPS_PASSWORD=… TPS_ORGANIZATION_ID=…
 *   ./login
 *
 * libcurl sends the request that uses the token, jansson reads JSON.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>
#include <jansson.h>
#include <tps.h>

static int fail(tps_error *error) {
    fprintf(stderr, "%s\n", error->message);
    tps_free(error);
    return EXIT_FAILURE;
}

/* A string from the environment; NULL, which the library refuses by name, where it is not set. */
static const char *setting(const char *name) {
    const char *value = getenv(name);
    return value != NULL && *value != '\0' ? value : NULL;
}

/* The options as JSON, to be released by free(). */
static char *options(void) {
    json_t *object = json_object();
    char *text;
    if (setting("TPS_BASE_URL") != NULL) {
        json_object_set_new(object, "base_url", json_string(setting("TPS_BASE_URL")));
    }
    if (setting("TPS_CACHE") != NULL) {
        json_object_set_new(object, "cache", json_string(setting("TPS_CACHE")));
    }
    text = json_dumps(object, 0);
    json_decref(object);
    return text;
}

struct body {
    char text[64 * 1024];
    size_t length;
};

static size_t receive(char *data, size_t size, size_t count, void *user) {
    struct body *body = user;
    size_t length = size * count;
    if (length > sizeof body->text - body->length) {
        return 0;
    }
    memcpy(body->text + body->length, data, length);
    body->length += length;
    return length;
}

/* GET /api/v1/organizations/ with the token, into `body`: the answer's status, 0 where there is none. */
static long get_organizations(const char *base_url, const char *token, struct body *body) {
    char url[1024], header[8192];
    struct curl_slist *headers;
    CURLcode outcome;
    long status = 0;
    CURL *curl = curl_easy_init();

    body->length = 0;
    snprintf(url, sizeof url, "%s/api/v1/organizations/", base_url);
    snprintf(header, sizeof header, "Authorization: Token %s", token);
    headers = curl_slist_append(NULL, header);
    /* It follows no redirect unless it is told to: the header is for this host alone. */
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 30L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, body);
    outcome = curl_easy_perform(curl);
    if (outcome == CURLE_OK) {
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    } else {
        fprintf(stderr, "%s: %s\n", url, curl_easy_strerror(outcome));
    }
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return status;
}

/* The first organization's name. After a 401 the token is reported, and the request sent once more with the next one. */
static int print_organization(tps_client *client, const char *base_url, tps_error **error) {
    static struct body body;
    long status = 401;
    int attempt;
    json_t *answer;
    const char *name;

    for (attempt = 0; attempt < 2 && status == 401; attempt++) {
        char *token = tps_token(client, error);
        if (token == NULL) {
            return EXIT_FAILURE;
        }
        status = get_organizations(base_url, token, &body);
        if (status == 401) {
            tps_invalidate(client, token, NULL);
        }
        tps_free(token);
    }
    if (status != 200) {
        fprintf(stderr, "the server answered %ld\n", status);
        return EXIT_FAILURE;
    }
    answer = json_loadb(body.text, body.length, 0, NULL);
    name = json_string_value(json_object_get(json_array_get(json_object_get(answer, "results"), 0), "name"));
    printf("organization: %s\n", name != NULL ? name : "none");
    json_decref(answer);
    return EXIT_SUCCESS;
}

/* The client's stats, to be released by json_decref(). */
static json_t *stats(tps_client *client) {
    char *text = tps_stats(client, NULL);
    json_t *object = json_loads(text != NULL ? text : "{}", 0, NULL);
    tps_free(text);
    return object;
}

int main(void) {
    tps_error *error = NULL;
    char *json = options(), *token = NULL;
    json_t *now;
    int i, outcome;
    tps_client *client =
        tps_login(setting("TPS_USERNAME"), setting("TPS_PASSWORD"), setting("TPS_ORGANIZATION_ID"), json, &error);
    free(json);
    if (client == NULL || (token = tps_token(client, &error)) == NULL) {
        tps_free(client);
        return fail(error);
    }
    printf("token: %s\n", token);
    tps_free(token);

    now = stats(client);
    outcome = print_organization(client, json_string_value(json_object_get(now, "base_url")), &error);
    json_decref(now);
    if (error != NULL) {
        tps_free(client);
        return fail(error);
    }

    for (i = 0; i < 10000; i++) {
        tps_free(tps_token(client, NULL));
    }

    now = stats(client);
    i = (int)json_integer_value(json_object_get(now, "logins"));
    printf("asked for the token 10,000 times more: %d login%s\n", i, i == 1 ? "" : "s");
    json_decref(now);
    tps_free(client);
    return outcome;
}
