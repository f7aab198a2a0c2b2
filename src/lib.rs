mod api;
mod clock;
mod credentials;
mod error;
mod http;
mod options;
mod secret;
mod token;
