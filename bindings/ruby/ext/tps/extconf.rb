# frozen_string_literal: true

# Builds libtps by cargo while the gem is installed. It is no extension of Ruby but a library that ffi opens, so neither
# mkmf nor Ruby's headers are needed: RubyGems asks for a Makefile with the targets clean, all and install.

require "rbconfig"
require_relative "../../lib/tps/library/platform"

musl = RbConfig::CONFIG["host_os"].include?("musl") || (Dir["/lib/ld-musl-*"].any? && Dir["/lib*/ld-linux*"].empty?)

unless system("cargo", "--version", out: File::NULL, err: File::NULL)
  platform = "#{RbConfig::CONFIG["host_cpu"]}-linux-#{musl ? "musl" : "gnu"}"
  abort "cargo is missing: install Rust from https://rustup.rs (Debian: rustc-web and cargo-web), or take the gem " \
        "with the library inside: gem install tps --platform #{platform}"
end

# In a gem the source is beside this file; in a checkout, as Bundler makes it of a Git source, it is the repository's.
manifest = [".", "../../../.."].map { |directory| File.join(directory, "Cargo.toml") }.find { |file| File.file?(file) }
abort "there is no Cargo.toml beside #{__FILE__} or in a repository around it: the gem is not complete" unless manifest

# What cargo calls the library, and what the gem calls it.
library, = TPS::Library::Platform.names(RbConfig::CONFIG["host_os"])

# On musl cargo makes no shared library unless it is told to link the C library dynamically.
flags = "RUSTFLAGS='#{ENV.fetch("RUSTFLAGS", "")} -C target-feature=-crt-static' " if musl

File.write("Makefile", <<~MAKE)
  # Where cargo builds; one of its own that is given here stays.
  target = #{ENV.fetch("CARGO_TARGET_DIR", "target")}
  # RubyGems puts another one in its place.
  sitearchdir = #{RbConfig::CONFIG["sitearchdir"]}

  all:
  \t#{flags}cargo build --release --locked --manifest-path "#{manifest}" --target-dir "$(target)"

  install: all
  \tmkdir -p "$(DESTDIR)$(sitearchdir)/tps"
  \tinstall -m 0755 "$(target)/release/#{library}" "$(DESTDIR)$(sitearchdir)/tps/#{library}"
  \trm -rf target

  clean:
  \trm -rf target

  .PHONY: all install clean
MAKE
