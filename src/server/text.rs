//! What the text in a body says. Texts change and are translated, so status and shape come first, in `answers`; words
//! decide only where those leave it open.

use std::collections::BTreeSet;

use serde_json::Value;

use super::redact::redact;
use crate::credentials::Credentials;
use crate::secret::Secret;

/// The most of the server's own text that a message carries.
const LONGEST_QUOTE: usize = 200;

/// Words that, beside the word token, speak of a limit.
const LIMIT: [&str; 8] = ["max", "maximum", "limit", "limits", "exceed", "exceeds", "exceeded", "quota"];

/// Words that a text about the token limit does not have: it gives another reason.
const OTHER_REASON: [&str; 20] = [
    "access",
    "account",
    "are",
    "been",
    "cannot",
    "credentials",
    "denied",
    "disabled",
    "forbidden",
    "has",
    "have",
    "inactive",
    "invalid",
    "is",
    "not",
    "password",
    "permission",
    "suspended",
    "the",
    "you",
];

/// What the body of a refused login says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoginBody {
    /// It is not JSON of the API: a page, nothing, or cut off.
    NotJson,
    /// The organization has as many tokens as it may.
    TokenLimit,
    /// Requests come too often.
    RateLimit,
    /// One text with the key `error` and nothing else, in words that are not known: the shape of knox's token limit.
    ErrorAlone,
    /// Something else.
    Other,
}

impl LoginBody {
    /// Reads it. The names in `credentials` are not words of the server's.
    pub fn of(json: Option<&Value>, credentials: &Credentials) -> Self {
        let Some(json) = json else { return Self::NotJson };
        let names = [credentials.username.expose(), &credentials.organization_id].join(" ").to_lowercase();
        let names: BTreeSet<_> = words(&names).collect();
        let text = texts(json).to_lowercase();
        let words: Vec<_> = words(&text).filter(|word| !names.contains(word)).collect();
        let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(word));
        let follow = |first: &str, second: &[&str]| {
            words.iter().zip(words.iter().skip(1)).any(|(a, b)| *a == first && second.contains(b))
        };
        let rate = follow("rate", &["limit", "limits", "limited", "limiting", "exceeded"])
            || follow("too", &["many"]) && follow("many", &["requests"])
            || has(&["throttle", "throttled", "throttling", "ratelimit", "ratelimited"]);
        let limit = has(&LIMIT) || follow("at", &["most"]) || follow("too", &["many"]);
        if rate {
            Self::RateLimit
        } else if limit && has(&["token", "tokens"]) && !has(&["csrf"]) {
            Self::TokenLimit
        } else if error_alone(json) && !has(&OTHER_REASON) {
            Self::ErrorAlone
        } else {
            Self::Other
        }
    }
}

fn error_alone(json: &Value) -> bool {
    json.as_object().is_some_and(|object| object.len() == 1) && json.get("error").is_some_and(Value::is_string)
}

/// What the body of an answer to any other request says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenBody {
    /// It is not a JSON object: a page, nothing, or cut off.
    NotJson,
    /// The token that came with the request is unknown, revoked or expired.
    InvalidToken,
    /// No token arrived, or its header was malformed.
    NotArrived,
    /// The token does not allow this.
    NoPermission,
    /// A list in the API's form.
    List,
    /// Another object.
    Other,
}

impl TokenBody {
    /// Reads it, by what Django REST framework writes under `detail`.
    pub fn of(json: Option<&Value>) -> Self {
        let Some(json) = json.filter(|json| json.is_object()) else { return Self::NotJson };
        let detail = json.get("detail").and_then(Value::as_str).unwrap_or_default().to_lowercase();
        if detail.contains("not provided") || detail.contains("invalid token header") {
            Self::NotArrived
        } else if detail.contains("invalid token") {
            Self::InvalidToken
        } else if detail.contains("permission") {
            Self::NoPermission
        } else if json.get("results").is_some_and(Value::is_array) {
            Self::List
        } else {
            Self::Other
        }
    }
}

/// The JSON of the API in a body, which may begin with a byte order mark: an object, or the list of texts that Django
/// REST framework makes of an error without a field.
pub fn json(body: &[u8]) -> Option<Value> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    serde_json::from_slice(body).ok().filter(|json| match json {
        Value::Object(_) => true,
        Value::Array(items) => !items.is_empty() && items.iter().all(Value::is_string),
        _ => false,
    })
}

/// The server's text for people, for a message: its beginning, without secrets and control characters.
pub fn said(json: &Value, secrets: &[&Secret]) -> String {
    redact(&texts(json), secrets, LONGEST_QUOTE)
}

/// All texts in it.
fn texts(json: &Value) -> String {
    fn collect<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::String(text) => found.push(text),
            Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
            Value::Object(fields) => fields.values().for_each(|field| collect(field, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    collect(json, &mut found);
    found.join(" ")
}

/// Whole words, so that "Limited" is no limit and "maxwell" no maximum.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    fn credentials() -> Credentials {
        Credentials::new("max.exceed@example.com".into(), "p".into(), "acme-max".into()).unwrap()
    }

    fn login(json: &Value) -> LoginBody {
        LoginBody::of(Some(json), &credentials())
    }

    #[test]
    fn the_token_limit_is_known_by_its_words_or_its_shape() {
        for limit in [
            json!({"error": "Maximum amount of tokens allowed per user exceeded."}),
            json!({"non_field_errors": ["An organization can have at most (max) 20 tokens."]}),
            json!({"detail": "Token limit reached."}),
            json!({"detail": "Too many tokens: 20 of 20."}),
            json!({"detail": "Your token quota is used up"}),
            json!({"detail": "acme-max exceeds the number of tokens", "code": 7}),
            json!({"code": "token_limit_exceeded"}),
            json!(["Limit of 20 tokens reached"]),
        ] {
            assert_eq!(login(&limit), LoginBody::TokenLimit, "{limit}");
        }
        for translated in ["Nombre maximal de jetons dépassé.", "トークンの上限に達しました。", "Límite de fichas"]
        {
            assert_eq!(login(&json!({"error": translated})), LoginBody::ErrorAlone, "{translated}");
            assert_eq!(login(&json!({"detail": translated})), LoginBody::Other, "{translated}");
        }
    }

    #[test]
    fn what_only_looks_like_the_token_limit_is_not() {
        for rate in [
            "API rate limit exceeded",
            "Request was throttled. Expected available in 60 seconds.",
            "Too many requests for tokens",
            "Token rate limit exceeded",
        ] {
            for key in ["error", "detail"] {
                assert_eq!(login(&json!({key: rate})), LoginBody::RateLimit, "{rate}");
            }
        }
        for other in [
            "Acme Private Limited is suspended",
            "maxwell is not a member",
            "max.exceed@example.com has no token in acme-max",
            "Invalid credentials",
            "Access denied",
            "Account suspended",
            "CSRF token exceeded the maximum age",
            "Password exceeds the maximum length, this is not allowed",
        ] {
            for key in ["error", "detail"] {
                assert_eq!(login(&json!({key: other})), LoginBody::Other, "{other}");
            }
        }
        assert_eq!(LoginBody::of(None, &credentials()), LoginBody::NotJson);
    }

    #[test]
    fn what_is_said_of_a_token() {
        for (body, said) in [
            (json!({"detail": "Invalid token."}), TokenBody::InvalidToken),
            (json!({"detail": "Invalid token header. No credentials provided."}), TokenBody::NotArrived),
            (json!({"detail": "Authentication credentials were not provided."}), TokenBody::NotArrived),
            (json!({"detail": "You do not have permission to perform this action."}), TokenBody::NoPermission),
            (json!({"detail": "User inactive or deleted."}), TokenBody::Other),
            (json!({"detail": ["Invalid token."]}), TokenBody::Other),
            (json!({"count": 0, "results": []}), TokenBody::List),
            (json!({"results": {}}), TokenBody::Other),
            (json!(["Invalid token."]), TokenBody::NotJson),
        ] {
            assert_eq!(TokenBody::of(Some(&body)), said, "{body}");
        }
        assert_eq!(TokenBody::of(None), TokenBody::NotJson);
    }

    #[test]
    fn the_apis_json_is_an_object_or_a_list_of_texts() {
        for body in ["{}", "\u{feff}{\"a\":1}", "[\"no\"]"] {
            assert!(json(body.as_bytes()).is_some(), "{body}");
        }
        for body in ["", "[]", "[1]", "\"a\"", "null", "{\"a\":", "<html></html>", "{} {}"] {
            assert!(json(body.as_bytes()).is_none(), "{body}");
        }
    }
}
