//! The library that Ruby and PHP load, where it is not the one that their packages bring along.

use std::path::{Path, PathBuf};
use std::{env, fs};

use super::Finding;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Where the system keeps libraries, as far as no list of its own says more.
const PLACES: [&str; 4] = ["/usr/local/lib", "/usr/lib", "/usr/lib64", "/lib"];

/// Whether the library is of this command's version.
pub fn version() -> Finding {
    let about = "library";
    let named = env::var_os("TPS_LIBRARY").filter(|path| !path.is_empty()).map(PathBuf::from);
    let Some(path) = named.clone().or_else(installed) else {
        return Finding::good(about, format!("{VERSION}; none is installed system-wide, so packages use their own"));
    };
    let shown = path.display();
    match fs::read(&path) {
        Err(error) if named.is_some() => {
            let advice = "name a file by TPS_LIBRARY, or unset it to use the one of the package";
            Finding::bad(about, format!("TPS_LIBRARY names {shown}: {}", error.kind()), advice)
        }
        Err(error) => Finding::bad(about, format!("{shown}: {}", error.kind()), format!("chmod 755 {shown}")),
        Ok(bytes) => match version_in(&bytes) {
            Some(version) if version == VERSION => Finding::good(about, format!("{VERSION}, {shown}")),
            Some(version) => Finding::bad(
                about,
                format!("{shown} is {version}, and this command is {VERSION}"),
                "install both of the same version: cargo cinstall for the library, cargo install --features command for tps",
            ),
            None => Finding::bad(about, format!("{shown} is no libtps"), "install libtps there, or unset TPS_LIBRARY"),
        },
    }
}

fn installed() -> Option<PathBuf> {
    let architecture = Path::new("/usr/lib").join(format!("{}-linux-gnu", env::consts::ARCH));
    let places = PLACES.iter().map(PathBuf::from).chain([architecture]);
    places.map(|place| place.join("libtps.so.0")).find(|path| path.exists())
}

/// The version in the library's own `User-Agent`.
fn version_in(bytes: &[u8]) -> Option<String> {
    const NAME: &[u8] = b"libtps/";
    let after = |at: usize| bytes.get(at + NAME.len()..).unwrap_or_default();
    let version = |at: usize| {
        let digits = after(at).iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.');
        String::from_utf8(digits.copied().collect()).ok().filter(|version| version.split('.').count() == 3)
    };
    bytes.windows(NAME.len()).enumerate().filter(|(_, window)| *window == NAME).find_map(|(at, _)| version(at))
}
