/* libtps: the one TPStreams API token of a process. Made from src/ffi by build.rs; do not edit. */

#ifndef TPS_H
#define TPS_H

#include <stdint.h>

/*
 Why a call failed: tps_error.status. docs/errors.md says what to do. Numbers never change.
 */
typedef enum tps_status {
  /*
   Success. Never in an error.
   */
  TPS_OK = 0,
  /*
   An argument or option is NULL, empty, not UTF-8, unknown or of the wrong type, or the store that you named cannot be
   used. The message says which.
   */
  TPS_INVALID_ARGUMENT = 1,
  /*
   The server refused user name, password or organization.
   */
  TPS_CREDENTIALS = 2,
  /*
   The organization has as many tokens as it may have.
   */
  TPS_TOKEN_LIMIT = 3,
  /*
   The server asked to wait.
   */
  TPS_THROTTLED = 4,
  /*
   The server was not reached: name resolution, connection or proxy.
   */
  TPS_NETWORK = 5,
  /*
   The server's certificate is not trusted.
   */
  TPS_TLS = 6,
  /*
   timeout_ms is over. A login under way goes on.
   */
  TPS_TIMEOUT = 7,
  /*
   The server failed (5xx).
   */
  TPS_SERVER = 8,
  /*
   The answer is not the API's: a redirect, no JSON, or another 4xx.
   */
  TPS_UNEXPECTED_RESPONSE = 9,
  /*
   The login was sent and its answer was lost: the server may have made a token.
   */
  TPS_OUTCOME_UNKNOWN = 10,
  /*
   The login budget is used up.
   */
  TPS_LOGIN_BUDGET = 11,
  /*
   A bug in the library. Please report it.
   */
  TPS_INTERNAL = 12,
} tps_status;

/*
 A client: credentials and options. Equal clients of a process share one token.
 Made by tps_login, released by tps_free. Any number of threads may use one at once.
 */
typedef struct tps_client tps_client;

/*
 Why a call failed. Made by the library, released by tps_free. Later versions may add fields at the end.
 */
typedef struct tps_error {
  /*
   A number of enum tps_status, never TPS_OK.
   */
  int32_t status;
  /*
   The HTTP status of the server's answer; 0 if there was none.
   */
  int32_t http_status;
  /*
   For so many milliseconds calls fail at once and nothing is sent; 0: a call may try at once.
   */
  int64_t retry_after_ms;
  /*
   What happened and what to do: one line of UTF-8 without secrets. Lives as long as the error; do not free it.
   */
  const char *message;
} tps_error;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/*
 Gives a client that holds a valid token. The token comes from memory, else from the store, else from a login.

 username, password, organization_id: UTF-8, not NULL, not empty. They are copied.
 options: a JSON object, see docs/options.md; NULL for the defaults. With {"lazy": true} nothing is sent until the first
 tps_token.

 Equal arguments give the same client. Release it as often as you got it.

 Returns the client, to be released by tps_free. NULL on failure, with the reason in *error unless error is NULL.
 Waits at most timeout_ms. Reads the environment, on this thread; no other function does.
 Any thread may call it at any time.
 */
struct tps_client *tps_login(const char *username,
                             const char *password,
                             const char *organization_id,
                             const char *options,
                             struct tps_error **error);

/*
 Gives the valid token: at once if the process has one, else after the login that all callers wait for.

 It logs in again only when the token has expired or was rejected. Ask for the token before each request; do not keep it.

 Returns the token, to be released by tps_free. NULL on failure, with the reason in *error unless error is NULL.
 Waits at most the client's timeout_ms. Any thread may call it at any time.
 */
char *tps_token(struct tps_client *client,
                struct tps_error **error);

/*
 Releases a client, a token, stats or an error. Call it once for each object that the library gave you.

 NULL is left alone, and so is a pointer that the library did not give. What held a secret is zeroed.
 Never waits, and sends nothing. Any thread may call it at any time.
 */
void tps_free(void *object);

/*
 Reports a token that the server answered with 401. Call tps_token after it.

 The next tps_token takes a newer token from the store, or asks the server. It logs in if the token is dead, and gives
 the same token if the server still accepts it. If the process has another token by now, nothing changes: a late answer
 costs no login. Sends nothing itself.

 token: UTF-8, not NULL, not empty.
 Returns 0. -1 on failure, with the reason in *error unless error is NULL. Any thread may call it at any time.
 */
int tps_invalidate(struct tps_client *client,
                   const char *token,
                   struct tps_error **error);

/*
 Revokes the client's token at the server, and forgets it in memory and in the store. Without a token it does nothing.
 The client stays usable: the next tps_token logs in.

 Returns 0, also if the token was dead already. -1 on failure, with the reason in *error unless error is NULL; then the
 token is kept. Waits at most timeout_ms, also for a login of another process. Any thread may call it at any time.
 */
int tps_logout(struct tps_client *client,
               struct tps_error **error);

/*
 Starts a logout as tps_logout does, or joins the one under way. The logout goes on after the call returns.

 milliseconds: how long to wait; 0 starts it and returns.
 Returns 1 when it is done, 0 when the time was over first: call again to wait longer. -1 on failure, with the reason in
 *error unless error is NULL. Any thread may call it at any time.
 */
int tps_logout_wait(struct tps_client *client,
                    uint32_t milliseconds,
                    struct tps_error **error);

/*
 The number of the token that tps_token would return at once. 0 if there is none, or if it has to be looked up.

 The number changes with the token, and is never used again. So you can keep a token with its number:
 read the number, the token, and the number again; keep the pair if both numbers are equal and not 0.

 Never waits or fails. NULL gives 0. Any thread may call it at any time.
 */
uint64_t tps_generation(struct tps_client *client);

/*
 The word that tps_generation reads, for bindings whose foreign calls are slow. If it is not 0, tps_generation would
 return it. If it is 0, ask tps_generation.

 Read it as one aligned word, in C with __atomic_load_n and __ATOMIC_ACQUIRE. Do not free it. It is valid until the client
 is released for the last time, also in forked children. NULL gives NULL. Never fails. Any thread may call it at any time.
 */
const uint64_t *tps_generation_word(struct tps_client *client);

/*
 Waits until tps_token would return at once, and starts a login if one is needed. The login goes on after the call returns.

 Use it where a call must stay interruptible: wait in short slices.

 milliseconds: how long to wait; 0 starts and returns.
 Returns 1 when a token is ready, 0 when the time was over first: call again to wait longer. -1 on failure, with the
 reason in *error unless error is NULL. Any thread may call it at any time.
 */
int tps_wait(struct tps_client *client,
             uint32_t milliseconds,
             struct tps_error **error);

/*
 Says what happened, as a JSON object without secrets. Later versions may add fields.

 - version, base_url.
 - store: kind, place, degraded, why_not, lasting. lasting is false if the token is lost when the process or its
   service stops, and null before the first use.
 - token: fingerprint, obtained_at, expires_at. null if there is none.
 - hold_off: status, retry_after_ms, message. null if there is none.
 - Counts since the process began: hits, adopted (tokens taken from the store), logins, logins_by_reason (first, ended,
   renewed, rejected), logins_failed, waits, invalidations, false_alarms (rejected tokens that the server still accepts).
 - login_budget_left: how many logins may follow one another now.
 - events: the last 32 of this process. Each has number (counts up), time, kind (login, adopted, renewal, rejected,
   false_alarm, hold_off, budget, degraded, recovered, logout), reason, duration (in milliseconds), status, message.

 Returns the text, to be released by tps_free. NULL on failure, with the reason in *error unless error is NULL.
 Never waits for the server. Any thread may call it at any time.
 */
char *tps_stats(struct tps_client *client,
                struct tps_error **error);

/*
 The library's version, such as "0.2.0". Do not free it.
 */
const char *tps_version(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* TPS_H */
