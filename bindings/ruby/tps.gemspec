# frozen_string_literal: true

require_relative "lib/tps/version"

Gem::Specification.new do |spec|
  spec.name = "tps"
  spec.version = TPS::VERSION
  spec.authors = ["The libtps authors"]
  spec.summary = "One TPStreams API token for every thread and process"
  spec.description = "Logs in to the TPStreams API once and reuses the token until it expires or is rejected."
  spec.licenses = ["MIT", "Apache-2.0"]
  spec.required_ruby_version = ">= 3.1"
  spec.files = Dir.chdir(__dir__) { Dir["lib/**/*.rb", "lib/tps/libtps.so", "README.md", ".yardopts"] }
  spec.require_paths = ["lib"]
  spec.metadata["rubygems_mfa_required"] = "true"
  spec.add_dependency "ffi", ">= 1.15.5", "< 2"
end
