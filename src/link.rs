//! How the shared library is linked, by target. For `build.rs`, and for the tests below; the library itself does not use it.

/// The linker's arguments for an operating system, as cargo names it in `CARGO_CFG_TARGET_OS`.
///
/// The library must outlive its handles: PHP closes its libraries at the end of each request. On Linux the linker says so. Apple's
/// linker has no such flag, and its loader keeps libraries with thread-local variables, which Rust's runtime has; untested.
pub fn arguments(os: &str) -> Vec<&'static str> {
    match os {
        "macos" | "ios" => vec!["-Wl,-install_name,@rpath/libtps.0.dylib"],
        _ => vec!["-Wl,-z,nodelete", "-Wl,-soname,libtps.so.0"],
    }
}

#[cfg(test)]
mod tests {
    use super::arguments;

    #[test]
    fn linux_keeps_the_library_and_names_it() {
        for os in ["linux", "android", "freebsd"] {
            assert_eq!(arguments(os), ["-Wl,-z,nodelete", "-Wl,-soname,libtps.so.0"], "{os}");
        }
    }

    /// Apple's linker stops at both of Linux's.
    #[test]
    fn apples_linker_gets_none_of_linuxs_flags() {
        let arguments = arguments("macos");
        assert_eq!(arguments, ["-Wl,-install_name,@rpath/libtps.0.dylib"]);
        assert!(!arguments.iter().any(|it| it.contains("soname") || it.contains("nodelete")));
    }
}
