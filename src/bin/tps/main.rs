//! `tps`: the host's one TPStreams token for shells, cron and operators.

mod account;
mod cli;
mod doctor;
mod output;
mod status;
mod terminal;

use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use serde_json::json;
use tps::{Client, Error};

use self::account::Account;
use self::cli::{Arguments, Command};
use self::output::Output;

/// The exit code of a wrong usage, as in sysexits.h.
const USAGE: u8 = 64;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            // Help and version are no failures. The numbers up to 12 are those of the statuses.
            return ExitCode::from(if error.use_stderr() { USAGE } else { 0 });
        }
    };
    let output = Output { json: arguments.json };
    match run(&arguments, &output) {
        Ok(code) => code,
        Err(error) => {
            output.error(&error);
            ExitCode::from(error.status as u8)
        }
    }
}

fn run(arguments: &Arguments, output: &Output) -> Result<ExitCode, Error> {
    if let Command::Generate { directory } = &arguments.command {
        return cli::generate(directory)
            .map(|()| ExitCode::SUCCESS)
            .map_err(|error| Error::argument(format!("{}: cannot be written: {}", directory.display(), error.kind())));
    }
    let account = match (Account::of(arguments), &arguments.command) {
        (Err(error), Command::Doctor) => return doctor::tell(&[doctor::of_settings(&error)], output),
        (account, _) => account?,
    };
    match arguments.command {
        Command::Token => {
            let token = client(&account).token()?;
            output.token(token.value.expose())?;
        }
        Command::Logout => {
            client(&account).logout()?;
            output.say(&json!({"logged_out": true}), &["logged out".to_owned()], 0)?;
        }
        Command::Status => status::show(&account, output)?,
        Command::Doctor => return doctor::examine(&account, output),
        Command::Generate { .. } => {}
    }
    Ok(ExitCode::SUCCESS)
}

fn client(account: &Account) -> Client {
    Client::new(account.credentials.clone(), Arc::unwrap_or_clone(account.options.clone()))
}
