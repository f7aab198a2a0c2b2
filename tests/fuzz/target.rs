//! One target of [`targets`], guided by coverage: the one that this program is named after.

#![no_main]

mod targets;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let program = std::env::current_exe().expect("a program's path");
    let name = program.file_name().and_then(|name| name.to_str()).expect("a name");
    let (_, target) = targets::TARGETS.iter().find(|(target, _)| *target == name).expect("a target's name");
    target(bytes);
});
