# frozen_string_literal: true

# Builds libtps by cargo while the gem is installed. It is no extension of Ruby but a library that ffi opens, so neither
# mkmf nor Ruby's headers are needed: RubyGems asks for a Makefile with the targets clean, all and install.

require "rbconfig"

unless system("cargo", "--version", out: File::NULL, err: File::NULL)
  abort "cargo is missing: install Rust from https://rustup.rs, or take the gem with the library inside: " \
        "gem install tps --platform #{RbConfig::CONFIG["host_cpu"]}-linux"
end

File.write("Makefile", <<~MAKE)
  # Where cargo builds; one of its own that is given here stays.
  target = #{ENV.fetch("CARGO_TARGET_DIR", "target")}
  # RubyGems puts another one in its place.
  sitearchdir = #{RbConfig::CONFIG["sitearchdir"]}

  all:
  \tcargo build --release --locked --target-dir "$(target)"

  install: all
  \tmkdir -p "$(DESTDIR)$(sitearchdir)/tps"
  \tinstall -m 0755 "$(target)/release/libtps.so" "$(DESTDIR)$(sitearchdir)/tps/libtps.so"
  \trm -rf target

  clean:
  \trm -rf target

  .PHONY: all install clean
MAKE
