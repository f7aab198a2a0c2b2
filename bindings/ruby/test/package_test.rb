# frozen_string_literal: true

require "fileutils"
require "rubygems/package"
require "test_helper"

# The gems as package.sh makes them, and installed where nothing else is. Which C library the released ones need is
# looked at by release/check.sh.
class PackageTest < TPSTest
  ROOT = File.expand_path("../../..", __dir__)
  FILES = %w[.yardopts LICENSE-APACHE LICENSE-MIT README.md].freeze
  MIB = 1024 * 1024
  REPOSITORY = "https://example.com/libtps.git"

  # Outside the repository, with the library's own options from the environment.
  SCRIPT = <<~RUBY
    require "net/http"
    require "tps"

    client = TPS.from_env
    first = client.token
    Net::HTTP.post(URI("\#{ENV["SERVER"]}/_test/organizations/\#{ENV["TPS_ORGANIZATION_ID"]}/revoke/"), "",
                   "Content-Type" => "application/json").value
    uri = URI("\#{ENV["SERVER"]}/api/v1/organizations/")
    puts client.request(Net::HTTP::Get.new(uri)).code, client.token == first, client.stats[:logins]
    puts $LOADED_FEATURES.grep(%r{/tps\\.rb\\z})
    puts File.foreach("/proc/self/maps").filter_map { |line| line[%r{/\\S*libtps\\.so\\S*}] }.uniq
  RUBY

  class << self
    # @return [String] the directory with both gems, which are made once
    def gems
      @gems ||= Dir.mktmpdir.tap do |directory|
        Minitest.after_run { FileUtils.rm_rf(directory) }
        # Whatever permissions this user's files have.
        script = 'umask 077 && exec "$0" "$1"'
        output, status = Open3.capture2e({ "TPS_REPOSITORY" => REPOSITORY }, "sh", "-c", script,
                                         File.expand_path("../package.sh", __dir__), directory)
        raise output unless status.success?
      end
    end
  end

  def test_what_is_in_the_source_gem
    files = contents(source_gem)

    assert_empty files.keys - tracked - FILES
    rust = %w[Cargo.toml Cargo.lock build.rs src/lib.rs include/tps.h benches/parts.rs extconf.rb]
    assert_empty rust.map { |file| "ext/tps/#{file}" } - files.keys
    assert_equal [0o644], files.values.map(&:first).uniq
  end

  def test_what_is_in_the_platform_gem
    files = contents(platform_gem)

    assert_equal [0o755, "\x7FELF".b], files.delete("lib/tps/libtps.so")
    assert_equal contents(source_gem).keys.grep_v(%r{\Aext/}), files.keys
    assert_equal [0o644], files.values.map(&:first).uniq
    specification = Gem::Package.new(platform_gem).spec
    assert_equal ["linux", []], [specification.platform.os, specification.extensions]
  end

  # Each with its platform's own library, and with a name that RubyGems tells apart.
  def test_gems_of_several_platforms
    Dir.mktmpdir do |directory|
      platforms = %w[x86_64-linux-gnu x86_64-linux-musl aarch64-linux-gnu aarch64-linux-musl]
      libraries = platforms.map do |platform|
        File.join(directory, platform).tap { |file| File.write(file, platform) }
      end
      output(File.expand_path("../package.sh", __dir__), directory, *platforms.zip(libraries).map { |it| it.join("=") })
      platforms.each do |platform|
        gem = File.join(directory, "tps-#{TPS::VERSION}-#{platform}.gem")
        assert_equal [0o755, platform[0, 4]], contents(gem)["lib/tps/libtps.so"]
        assert_equal platform, Gem::Package.new(gem).spec.original_platform.to_s
      end
      assert_equal 5, Dir[File.join(directory, "*.gem")].size
    end
  end

  # An upgrade under a running server: its processes keep what they have, and the children that it forks later too.
  def test_a_gem_that_is_installed_again_under_a_running_program
    install(platform_gem) do |home|
      environment = { "TPS_LIBRARY" => nil, "AGAIN" => platform_gem, **gem_environment(home) }
      script = <<~RUBY
        require "tps"
        client = TPS.login(**#{Faults.new("ok").login})
        before = client.token
        system(RbConfig.ruby, "-S", "gem", "install", "--force", "--local", "--no-document", ENV["AGAIN"],
               out: File::NULL) || abort("not installed")
        puts File.read("/proc/self/maps").match?(/libtps\\.so \\(deleted\\)/), client.token == before
        puts client.stats[:logins]
        Process.wait(fork { puts client.token == before, client.stats[:version] == TPS.load! })
      RUBY
      text, errors, = Open3.capture3(environment, RbConfig.ruby, "-w", "-e", script, chdir: home)
      assert_equal ["true\ntrue\n1\ntrue\ntrue\n", ""], [text, errors]
    end
  end

  def test_what_both_say
    [source_gem, platform_gem].map { |file| Gem::Package.new(file).spec }.each do |specification|
      assert_equal ["tps", TPS::VERSION], [specification.name, specification.version.to_s]
      assert_equal ["ffi"], specification.dependencies.map(&:name)
      assert_empty specification.executables
      metadata = specification.metadata
      assert_equal "https://example.com/libtps", specification.homepage
      assert_equal %w[bug_tracker_uri changelog_uri documentation_uri rubygems_mfa_required source_code_uri],
                   metadata.keys.sort
      assert_match(%r{\Ahttps://example\.com/libtps/blob/v#{TPS::VERSION}/CHANGELOG\.md\z}, metadata["changelog_uri"])
    end
  end

  def test_the_library_inside
    Dir.mktmpdir do |directory|
      Gem::Package.new(platform_gem).extract_files(directory)
      library = File.join(directory, "lib/tps/libtps.so")

      assert_operator File.size(library), :<, 3.5 * MIB
      symbols = output("nm", "-D", "--defined-only", "-j", library).split.map { |name| name[/[^@]+/] }
      assert_equal File.read(File.join(ROOT, "include/tps.h")).scan(/\b(tps_\w+)\(/).flatten.uniq.sort, symbols.sort
      needed = output("readelf", "-d", library).scan(/NEEDED.*\[(.*)\]/).flatten
      assert_empty needed.grep_v(/\A(libc|libgcc_s|ld-linux.*)\.so\.\d\z/)
    end
  end

  def test_the_platform_gem_installed
    install(platform_gem) { |home| assert_installed home, "#{home}/gems/#{full_name(platform_gem)}/lib/tps/libtps.so" }
  end

  # Dependencies that are built already save a minute and a half; the library itself is built from the gem's source.
  def test_the_source_gem_installed
    Dir.mktmpdir do |target|
      built = File.join(ROOT, "target/release")
      output("cp", "-a", built, target) if File.directory?(built)
      install(source_gem, "CARGO_TARGET_DIR" => target, "CARGO_NET_OFFLINE" => "true") do |home|
        library = "#{home}/gems/#{full_name(source_gem)}/lib/tps/libtps.so"
        assert_installed home, library
        # Not every RubyGems copies what it has built into lib.
        FileUtils.rm(library)
        assert_installed home, Dir["#{home}/extensions/*/*/#{full_name(source_gem)}/tps/libtps.so"].first
        assert_empty Dir["#{home}/gems/*/ext/tps/target"]
      end
    end
  end

  # Bundler checks it out, and builds the library from the repository.
  def test_a_git_source
    skip "needs Bundler" unless system("bundle", "--version", out: File::NULL, err: File::NULL)
    Dir.mktmpdir do |directory|
      repository, application = %w[repository application].map { |name| File.join(directory, name) }
      commit(repository)
      FileUtils.mkdir(application)
      File.write(File.join(application, "Gemfile"),
                 %(gem "tps", git: "file://#{repository}", glob: "bindings/ruby/*.gemspec"\n))
      target = File.join(directory, "target").tap { |it| FileUtils.mkdir(it) }
      output("cp", "-a", File.join(ROOT, "target/release"), target)
      rust = %w[cargo rustup].to_h do |name|
        [variable = "#{name.upcase}_HOME", ENV.fetch(variable, File.join(Dir.home, ".#{name}"))]
      end
      gems = gem_environment(File.join(directory, "gems"))
      environment = { **gems, **rust, "CARGO_TARGET_DIR" => target, "HOME" => directory }
      text, status = Open3.capture2e(environment, "bundle", "install", "--local", chdir: application)
      assert_predicate status, :success?, text

      text, = Open3.capture2e(environment, "bundle", "exec", "ruby", "-e",
                              'require "tps"; puts TPS.load!, $LOADED_FEATURES.grep(%r{/tps\.rb})', chdir: application)
      assert_match(%r{\A\d+\.\d+\.\d+\n#{directory}/gems/bundler/gems/}, text)
    end
  end

  def test_no_cargo
    Dir.mktmpdir do |home|
      bin = File.join(home, "bin").tap { |directory| FileUtils.mkdir(directory) }
      %w[ruby gem make].each { |tool| FileUtils.ln_s(output("which", tool).chomp, bin) }
      text, status = gem_install(source_gem, home, "PATH" => bin)

      refute_predicate status, :success?
      assert_match(/cargo is missing: install Rust from .*gem install tps --platform \w+-linux/, text)
    end
  end

  private

  # What git knows of this repository, as a repository of its own.
  def commit(directory)
    FileUtils.mkdir(directory)
    output("sh", "-c", 'git -C "$0" ls-files -z | tar -C "$0" --null -T - -c | tar -C "$1" -x', ROOT, directory)
    [%w[init -q], %w[add -A], %w[-c user.name=a -c user.email=a@example.com commit -qm a]].each do |arguments|
      output("git", "-C", directory, *arguments)
    end
  end

  def source_gem
    File.join(self.class.gems, "tps-#{TPS::VERSION}.gem")
  end

  def platform_gem
    Dir[File.join(self.class.gems, "tps-#{TPS::VERSION}-*-linux*.gem")].first
  end

  # The directory that RubyGems makes; an older one leaves `-gnu` out.
  def full_name(gem)
    Gem::Package.new(gem).spec.full_name
  end

  # @return [Hash{String => Array(Integer, String)}] each file's mode and first bytes
  def contents(gem)
    File.open(gem) do |file|
      data = Gem::Package::TarReader.new(file).seek("data.tar.gz") { |entry| Zlib.gunzip(entry.read) }
      Gem::Package::TarReader.new(StringIO.new(data)).to_h do |entry|
        [entry.full_name, [entry.header.mode & 0o7777, entry.read(4)]]
      end
    end
  end

  # What git knows and a gem may hold, by the names that it has there.
  def tracked
    places = %w[bindings/ruby/lib bindings/ruby/sig bindings/ruby/ext
                Cargo.toml Cargo.lock build.rs src include benches]
    output("git", "-C", ROOT, "ls-files", *places).split.map do |file|
      file.start_with?("bindings/ruby/") ? file.delete_prefix("bindings/ruby/") : "ext/tps/#{file}"
    end
  end

  def output(*command)
    text, status = Open3.capture2e(*command)
    assert_predicate status, :success?, text
    text
  end

  # Into an empty GEM_HOME; ffi is the system's.
  def install(gem, environment = {})
    Dir.mktmpdir do |home|
      text, status = gem_install(gem, home, environment)
      assert_predicate status, :success?, text
      yield home
    end
  end

  def gem_install(gem, home, environment)
    Open3.capture2e({ **gem_environment(home), **environment },
                    RbConfig.ruby, "-S", "gem", "install", "--local", "--no-document", gem)
  end

  def gem_environment(home)
    { "GEM_HOME" => home, "GEM_PATH" => [home, *Gem.path].join(":"),
      "RUBYLIB" => nil, "RUBYOPT" => nil, "TPS_LIBRARY" => nil }
  end

  # Exactly one login, and one more after the token was revoked; one request that counts.
  def assert_installed(home, library)
    organization = Organization.new
    environment = { "TPS_USERNAME" => organization.username, "TPS_PASSWORD" => organization.password,
                    "TPS_ORGANIZATION_ID" => organization.id, "TPS_BASE_URL" => Organization::SERVER,
                    "SERVER" => Organization::SERVER, "XDG_STATE_HOME" => File.join(home, "state"),
                    **gem_environment(home) }
    text, errors, = Open3.capture3(environment, RbConfig.ruby, "-w", "-e", SCRIPT, chdir: home)

    lines = text.lines(chomp: true)
    assert_equal [%w[200 false 2], ""], [lines.first(3), errors]
    assert_equal ["#{home}/gems/", library], [lines[3][0, home.size + 6], lines[4]]
    assert_equal [2, 1], organization.counts.values_at(:logins, :api_calls)
  end
end
