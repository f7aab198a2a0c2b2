typedef enum tps_status {
  TPS_OK = 0,
  TPS_INVALID_ARGUMENT = 1,
  TPS_CREDENTIALS = 2,
  TPS_TOKEN_LIMIT = 3,
  TPS_THROTTLED = 4,
  TPS_NETWORK = 5,
  TPS_TLS = 6,
  TPS_TIMEOUT = 7,
  TPS_SERVER = 8,
  TPS_UNEXPECTED_RESPONSE = 9,
  TPS_OUTCOME_UNKNOWN = 10,
  TPS_LOGIN_BUDGET = 11,
  TPS_INTERNAL = 12,
} tps_status;

typedef struct tps_client tps_client;

typedef struct tps_error {
  int32_t status;
  int32_t http_status;
  int64_t retry_after_ms;
  const char *message;
} tps_error;

struct tps_client *tps_login(const char *username,
                             const char *password,
                             const char *organization_id,
                             const char *options,
                             struct tps_error **error);

char *tps_token(struct tps_client *client, struct tps_error **error);

void tps_free(void *object);

int tps_invalidate(struct tps_client *client, const char *token, struct tps_error **error);

int tps_logout(struct tps_client *client, struct tps_error **error);

int tps_logout_wait(struct tps_client *client, uint32_t milliseconds, struct tps_error **error);

uint64_t tps_generation(struct tps_client *client);

const uint64_t *tps_generation_word(struct tps_client *client);

int tps_wait(struct tps_client *client, uint32_t milliseconds, struct tps_error **error);

char *tps_stats(struct tps_client *client, struct tps_error **error);

const char *tps_version(void);
