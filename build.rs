//! Makes both headers from src/ffi, and sets how the shared library is linked.

#[path = "src/link.rs"]
mod link;

use std::error::Error;
use std::fs;
use std::path::Path;

use cbindgen::{Builder, Config, DocumentationStyle, ExportConfig, Language, Style};

fn main() -> Result<(), Box<dyn Error>> {
    let root = std::env::var("CARGO_MANIFEST_DIR")?;
    let root = Path::new(&root);
    for watched in ["build.rs", "src/link.rs", "src/ffi", "include/tps.h", "include/tps_ffi.h"] {
        println!("cargo:rerun-if-changed={watched}");
    }
    header(root, "include/tps.h", &for_c())?;
    header(root, "include/tps_ffi.h", &for_php())?;
    for argument in link::arguments(&std::env::var("CARGO_CFG_TARGET_OS")?) {
        println!("cargo:rustc-cdylib-link-arg={argument}");
    }
    Ok(())
}

fn for_c() -> Config {
    Config {
        language: Language::C,
        header: Some(
            "/* libtps: the one TPStreams API token of a process. Made from src/ffi by build.rs; do not edit. */"
                .to_owned(),
        ),
        include_guard: Some("TPS_H".to_owned()),
        sys_includes: vec!["stdint.h".to_owned()],
        no_includes: true,
        cpp_compat: true,
        documentation_style: DocumentationStyle::C,
        style: Style::Both,
        export: constants(),
        ..Config::default()
    }
}

/// PHP's parser knows no preprocessor and no `extern "C"`.
fn for_php() -> Config {
    Config {
        language: Language::C,
        no_includes: true,
        documentation: false,
        style: Style::Both,
        export: constants(),
        ..Config::default()
    }
}

/// No signature has the constants, so they are named here.
fn constants() -> ExportConfig {
    ExportConfig { include: vec!["tps_status".to_owned()], ..ExportConfig::default() }
}

fn header(root: &Path, name: &str, config: &Config) -> Result<(), Box<dyn Error>> {
    let mut text = Vec::new();
    Builder::new()
        .with_src(root.join("src/ffi/mod.rs"))
        .with_src(root.join("src/ffi/types.rs"))
        .with_config(config.clone())
        .generate()?
        .write(&mut text);
    let path = root.join(name);
    if fs::read(&path).ok().as_deref() != Some(&text) {
        fs::write(path, text)?;
    }
    Ok(())
}
