# frozen_string_literal: true

require "process_helper"
require "yaml"

# Real Rails, with README.md's initializer.
class RailsTest < ProcessTest
  README = File.read(File.expand_path("../README.md", __dir__), encoding: "UTF-8")
  INITIALIZER = README[%r{^```ruby\n(# config/initializers/tps\.rb\n.*?)^```$}m, 1]

  APPLICATION = <<~RUBY.freeze
    require "rails"
    require "action_controller/railtie"
    require "active_support/core_ext/integer/time"
    require "net/http"
    require "tps"

    class Application < Rails::Application
      config.root = __dir__
      config.eager_load = true
      config.hosts.clear
      config.secret_key_base = "0" * 64
      config.logger = Logger.new(File.join(__dir__, "rails.log"))
      %s
    end

    class OrganizationsController < ActionController::Base
      def index
        uri = URI("#{Organization::SERVER}/api/v1/organizations/")
        render plain: TPS.client.request(Net::HTTP::Get.new(uri)).body
      end
    end

    Application.initialize!
    Application.routes.draw { get "/" => "organizations#index" }
    GET = -> { Rack::MockRequest.new(Application).get("/") }
  RUBY
  private_constant :README, :INITIALIZER, :APPLICATION

  def setup
    super
    skip "needs Rails" unless Gem::Specification.find_all_by_name("railties").any?
    @credentials = ENV.to_h.slice("TPS_USERNAME", "TPS_PASSWORD", "TPS_ORGANIZATION_ID")
    @credentials.each_key { |name| ENV.delete(name) }
    FileUtils.mkdir_p(File.join(@directory, "config/initializers"))
    File.write(File.join(@directory, "config/initializers/tps.rb"), INITIALIZER)
  end

  # As CI and `assets:precompile` have it: credentials that cannot be read.
  def test_it_boots_without_credentials_and_without_the_master_key
    rails("write_credentials; puts :written")
    FileUtils.rm(File.join(@directory, "config/master.key"))

    output = rails(<<~RUBY)
      puts :booted
      begin
        TPS.client.token
      rescue TPS::InvalidArgumentError => e
        puts e.message
      end
    RUBY
    assert_match(/\Abooted\nusername is missing.*TPS_USERNAME/, output)
    assert_equal 0, @organization.logins
  end

  def test_it_boots_without_the_library
    ENV["TPS_LIBRARY"] = "/nonexistent/libtps.so"
    assert_match(/\Abooted\nTPS::LibraryError\n/, rails(<<~RUBY))
      puts :booted
      begin
        TPS::Client.new { { username: "a", password: "b", organization_id: "c" } }.token
      rescue TPS::Error => e
        puts e.class
      end
    RUBY
  end

  def test_a_request_with_the_credentials_of_rails
    rails("write_credentials; puts :written")
    output = rails("3.times { puts GET.call.body }; puts TPS.client.equal?(TPS.client)")

    assert_equal 3, output.scan(@organization.name).size
    assert_match(/true\Z/, output)
    assert_equal [1, 3], @organization.counts.values_at(:logins, :api_calls)
    assert_match(/TPS: login \(organization=#{@organization.id}/, File.read(File.join(@directory, "rails.log")))
  end

  def test_a_request_with_the_credentials_of_the_environment
    ENV.update(@credentials)
    assert_includes rails("puts GET.call.body"), @organization.name
    assert_equal 1, @organization.logins
  end

  def test_config_tps
    output = rails("puts GET.call.body, TPS.client.account.settings.connect_timeout_ms", <<~RUBY)
      config.tps.connect_timeout = 7.seconds
      config.tps.credentials = -> { #{@organization.login.slice(:username, :password, :organization_id)} }
    RUBY
    assert_includes output, @organization.name
    assert_match(/^7000$/, output)
  end

  # What was named gives none: nobody else's are taken.
  def test_credentials_that_are_named_count_alone
    ENV.update(@credentials)
    script = "begin; TPS.client.token; rescue TPS::InvalidArgumentError => e; puts e.message; end"
    assert_match(/\Ausername is missing/, rails(script, "config.tps.credentials = -> { nil }"))
    assert_equal 0, @organization.logins
  end

  # In the test environment, and only because it was asked for.
  def test_fakes
    ENV.update(@credentials)
    script = "puts TPS.client.token, TPS.from_env.token, TPS::Client.new { nil }.class"
    assert_equal "fake-token\nfake-token\nTPS::Client\n", rails(script, "config.tps.fake = true", "test")
    assert_equal "t\nt\nTPS::Client\n", rails(script, "config.tps.fake = { token: 't' }", "test")
    assert_equal 0, @organization.logins

    rails("puts TPS.client.token", "", "test")
    assert_equal 1, @organization.logins
  end

  private

  # @return [String] what the script prints
  def rails(script, configuration = "", environment = "production")
    application = File.join(@directory, "application.rb")
    File.write(application, format(APPLICATION, configuration).sub("Application.initialize!", <<~RUBY))
      def write_credentials
        require "rails/generators"
        key = ActiveSupport::EncryptedConfiguration.generate_key
        File.write(File.join(__dir__, "config/master.key"), key)
        ActiveSupport::EncryptedConfiguration.new(
          config_path: File.join(__dir__, "config/credentials.yml.enc"), env_key: "RAILS_MASTER_KEY",
          key_path: File.join(__dir__, "config/master.key"), raise_if_missing_key: true
        ).write(#{{ "tps" => @organization.login.slice(:username, :password, :organization_id).transform_keys(&:to_s) }.to_yaml.inspect})
      end
      Application.initialize!
    RUBY
    output, status = Open3.capture2e({ "RAILS_ENV" => environment }, RbConfig.ruby, "-W0", "-I#{LIB}",
                                     "-r#{application}", "-e", script, chdir: @directory)
    assert_predicate status, :success?, output
    output
  end
end
