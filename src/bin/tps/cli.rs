//! The command line.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use clap::{CommandFactory, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

const MORE: &str = "\
Credentials: TPS_USERNAME, TPS_PASSWORD and TPS_ORGANIZATION_ID from the
environment, all three; else from --credentials FILE, with a line NAME=VALUE for
each; else they are asked for at the terminal. Never from an argument: others
can see it. TPS_BASE_URL, TPS_CACHE and TPS_CA_FILE stand for options.

Exit codes:
  0   done; doctor: nothing is wrong
  1   wrong argument, option or credentials file; doctor: something is wrong
  2   the server refuses the credentials
  3   the organization holds as many tokens as it may
  4   the server asks to wait
  5   the server cannot be reached
  6   no trusted connection
  7   the time ran out
  8   the server failed
  9   what answers is not the API
  10  the login was sent, and its answer was lost
  11  the login budget is used up
  12  a bug of libtps
  64  wrong usage";

/// The one TPStreams API token of this host, for shells and cron.
#[derive(Debug, Parser)]
#[command(name = "tps", version, after_help = MORE)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Command,
    /// Print JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// Read credentials from this file (mode 600)
    #[arg(long, global = true, value_name = "FILE")]
    pub credentials: Option<PathBuf>,
    /// Options as a JSON object, as tps_login takes them
    #[arg(long, global = true, value_name = "JSON")]
    pub options: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print the token, and nothing else
    Token,
    /// Show what is known of the token. Sends nothing
    Status,
    /// Look for what can be wrong, and say what to do
    Doctor,
    /// Revoke the token and forget it
    Logout,
    /// Write shell completions and the man page
    #[command(hide = true)]
    Generate {
        /// Where to
        directory: PathBuf,
    },
}

/// Completions for each shell, and the man page.
pub fn generate(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let mut command = Arguments::command();
    for shell in Shell::value_variants() {
        clap_complete::generate_to(*shell, &mut command, "tps", directory)?;
    }
    clap_mangen::Man::new(command).render(&mut File::create(directory.join("tps.1"))?)
}
