/* libtps: the one TPStreams API token of a process. Made from src/ffi by build.rs; do not edit. */

#ifndef TPS_H
#define TPS_H

#include <stdint.h>

/*
 What tps_error.status says. Numbers are never used again.
 */
typedef enum tps_status {
  /*
   Never in an error.
   */
  TPS_OK = 0,
  /*
   NULL, empty, not UTF-8, or an unknown or ill-typed option; the message names it.
   */
  TPS_INVALID_ARGUMENT = 1,
  /*
   The server refuses user name, password or organization.
   */
  TPS_CREDENTIALS = 2,
  /*
   The organization holds as many tokens as it may.
   */
  TPS_TOKEN_LIMIT = 3,
  /*
   The server asks to wait.
   */
  TPS_THROTTLED = 4,
  /*
   The server cannot be reached.
   */
  TPS_NETWORK = 5,
  /*
   No connection that can be trusted.
   */
  TPS_TLS = 6,
  /*
   Time is over.
   */
  TPS_TIMEOUT = 7,
  /*
   The server has a fault of its own (5xx).
   */
  TPS_SERVER = 8,
  /*
   A redirect, not the JSON that was promised, or another 4xx.
   */
  TPS_UNEXPECTED_RESPONSE = 9,
  /*
   The login was sent and its answer was lost: a token may exist.
   */
  TPS_OUTCOME_UNKNOWN = 10,
  /*
   More logins than the budget allows.
   */
  TPS_LOGIN_BUDGET = 11,
  /*
   A bug in the library.
   */
  TPS_INTERNAL = 12,
} tps_status;

/*
 A client: credentials and options, and through them the token that they share with all equal clients of the process.
 Made by tps_login, released by tps_free. Any number of threads may use one at once.
 */
typedef struct tps_client tps_client;

/*
 Why a call failed. Made by the library, released by tps_free. Fields are only ever appended.
 */
typedef struct tps_error {
  /*
   One of the TPS_ constants, never TPS_OK.
   */
  int32_t status;
  /*
   The HTTP status of the answer that caused it; 0 where there was none.
   */
  int32_t http_status;
  /*
   Nothing will be sent for so many milliseconds; 0: a call may try at once.
   */
  int64_t retry_after_ms;
  /*
   One line of UTF-8 without secrets. Lives as long as the error; not yours to free.
   */
  const char *message;
} tps_error;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/*
 Gives a client that holds a valid token: from memory, else from the store, else by logging in.

 username, password, organization_id: UTF-8, not NULL, not empty; copied. options: a JSON object, or NULL for the
 defaults; with {"lazy": true} nothing is sent until the first tps_token. The same arguments give the same client,
 which is released as often as it was given.

 Returns the client, to be released by tps_free; NULL on failure, with the reason in *error unless error is NULL.
 Waits at most timeout_ms. Any thread may call it at any time.
 */
struct tps_client *tps_login(const char *username,
                             const char *password,
                             const char *organization_id,
                             const char *options,
                             struct tps_error **error);

/*
 Gives the valid token: at once where one is at hand, else after the login that all callers wait for.

 It logs in again when, and only when, the present token has expired or was rejected.

 Returns the token, to be released by tps_free; NULL on failure, with the reason in *error unless error is NULL.
 Waits at most the client's timeout_ms. Any thread may call it at any time.
 */
char *tps_token(struct tps_client *client,
                struct tps_error **error);

/*
 Releases what the library handed out: a client, a token, stats or an error, exactly once each.

 NULL, and a pointer that is not the library's, are left alone. What held a secret is zeroed. Only touches memory.
 */
void tps_free(void *object);

/*
 Says that the server answered 401 to this very token. Does nothing while another token is the present one, so that
 late answers cost no login. Otherwise the next tps_token takes what another process has stored meanwhile, or asks the
 server, and logs in if the token is dead; one that stands after all is kept. Sends nothing itself.

 token: UTF-8, not NULL, not empty. Returns 0; -1 on failure, with the reason in *error unless error is NULL.
 */
int tps_invalidate(struct tps_client *client,
                   const char *token,
                   struct tps_error **error);

/*
 Revokes the client's token at the server and forgets it, here and in the store; without one there is nothing to do.
 The client stays usable and would log in anew.

 Returns 0, also when the token was dead already; -1 on failure, with the reason in *error unless error is NULL: then
 the token is kept. Waits at most timeout_ms, also for a login that another process has under way.
 Any thread may call it at any time.
 */
int tps_logout(struct tps_client *client,
               struct tps_error **error);

/*
 Starts a logout as tps_logout does, or joins the one under way. What it set going goes on; another call waits further.

 milliseconds: how long to wait; 0 starts and returns. Returns 1 when it is done, 0 when the time ran out first, -1 on
 failure, with the reason in *error unless error is NULL. Any thread may call it at any time.
 */
int tps_logout_wait(struct tps_client *client,
                    uint32_t milliseconds,
                    struct tps_error **error);

/*
 The number of the token that tps_token would return at once; 0 when it would have to look elsewhere.

 Never blocks or fails; NULL gives 0. The number changes with the token and is never used again. To keep a
 token with its number: number, token, number again; keep the pair only if both numbers are equal and not 0.
 */
uint64_t tps_generation(struct tps_client *client);

/*
 The word that tps_generation reads, for bindings whose foreign calls are slow. While it is not 0 it is what
 tps_generation would return; 0 says nothing: ask tps_generation.

 Read it as one aligned word (in C with __atomic_load_n and __ATOMIC_ACQUIRE, for instance). It is not yours to free, and
 valid until the client is released for the last time, also in forked children. NULL gives NULL. Never fails.
 */
const uint64_t *tps_generation_word(struct tps_client *client);

/*
 Sees to it that a token is at hand. What it set going goes on; another call waits further.

 milliseconds: how long to wait; 0 starts and returns. Returns 1 when tps_token would return at once, 0 when the time
 ran out first, -1 on failure, with the reason in *error unless error is NULL.
 */
int tps_wait(struct tps_client *client,
             uint32_t milliseconds,
             struct tps_error **error);

/*
 Says what happened, as a JSON object without secrets: version, base_url, store (kind, place, degraded, why_not, lasting:
 false where the token goes when the process or its service stops, and null before the first use), token
 (fingerprint, obtained_at, expires_at), hold_off (status, retry_after_ms, message), counts since the process began:
 hits, adopted (from the store), logins, logins_by_reason (first, ended, renewed, rejected), logins_failed, waits,
 invalidations, false_alarms (of these, tokens that stand after all). login_budget_left: how many logins may follow
 one another now. events: the last 32 of this process, each with number (counts up), time, kind (login, adopted,
 renewal, rejected, false_alarm, hold_off, budget, degraded, recovered, logout), reason, duration (in milliseconds),
 status, message. Fields may be added in later versions.

 Returns the text, to be released by tps_free; NULL on failure, with the reason in *error unless error is NULL.
 */
char *tps_stats(struct tps_client *client,
                struct tps_error **error);

/*
 The library's version, such as "0.2.0". Not yours to free.
 */
const char *tps_version(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* TPS_H */
