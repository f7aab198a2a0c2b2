# frozen_string_literal: true

require_relative "lib/tps/version"

# One of several gems, by what package.sh has put beside this file. One kind has the library inside, for the platform
# that TPS_PLATFORM names. The other one has its source, which is built when the gem is installed. Bundler also takes
# the repository itself: then the library is built from there.
Gem::Specification.new do |spec|
  built = File.file?(File.join(__dir__, "lib/tps/libtps.so"))
  source = File.file?(File.join(__dir__, "ext/tps/Cargo.toml"))
  # Bundler builds what a Git source holds, and leaves a path alone.
  checkout = File.file?(File.join(__dir__, "../../Cargo.toml"))
  # Where the source is, given by package.sh: a URL that is written down here would be wrong for a fork.
  repository = ENV.fetch("TPS_REPOSITORY", "").delete_suffix(".git").delete_suffix("/")

  spec.name = "tps"
  spec.version = TPS::VERSION
  spec.authors = ["The libtps authors"]
  spec.summary = "One TPStreams API token for every thread and process"
  spec.description = "Logs in to the TPStreams API once and reuses the token until it expires or is rejected."
  spec.licenses = ["MIT", "Apache-2.0"]
  spec.required_ruby_version = ">= 3.1"
  spec.files = Dir.chdir(__dir__) do
    files = Dir["lib/**/*.rb", "sig/*", "README.md", "LICENSE*", ".yardopts"]
    files += ["lib/tps/libtps.so"] if built
    files += Dir["ext/tps/**/*"].select { |file| File.file?(file) } if source
    files
  end
  spec.require_paths = ["lib"]
  # By its parts, such as x86_64, linux, gnu: RubyGems before 3.3.22 would leave out the last one.
  spec.platform = Gem::Platform.new(ENV.fetch("TPS_PLATFORM").split("-")) if built
  spec.extensions = ["ext/tps/extconf.rb"] if source || (checkout && !built)
  spec.metadata["rubygems_mfa_required"] = "true"
  if repository.start_with?("https://")
    spec.homepage = repository
    spec.metadata["source_code_uri"] = "#{repository}/tree/v#{TPS::VERSION}/bindings/ruby"
    spec.metadata["changelog_uri"] = "#{repository}/blob/v#{TPS::VERSION}/CHANGELOG.md"
    spec.metadata["documentation_uri"] = "#{repository}/blob/v#{TPS::VERSION}/bindings/ruby/README.md"
    spec.metadata["bug_tracker_uri"] = "#{repository}/issues"
  end
  spec.add_dependency "ffi", ">= 1.15.5", "< 2"
end
