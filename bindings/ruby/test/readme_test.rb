# frozen_string_literal: true

require "process_helper"

# Each block of Ruby in both READMEs runs unchanged, against the test server.
class ReadmeTest < ProcessTest
  SERVICE = "https://app.tpstreams.com"

  CLIENT = <<~RUBY
    require "net/http"
    require "tps"
    client = TPS.from_env
  RUBY

  # What goes before a block that uses an HTTP library.
  def self.with(library)
    "$VERBOSE = nil # It has warnings of its own.\n#{CLIENT}require #{library.inspect}\n"
  end

  WEBMOCK = <<~RUBY
    $VERBOSE = nil # WebMock loads whatever HTTP libraries there are.
    require "net/http"
    require "webmock"
    include WebMock::API
    WebMock.enable!
  RUBY

  # What goes around a block in a program, by the heading above it: before, after, and what is printed then.
  AROUND = {
    "tps 1" => ["", "print response.code", "200"],
    "Credentials 1" => ["require \"tps\"", "print clients.values.first.token.size", "64"],
    "Requests 1" => [CLIENT, "print response.code", "200"],
    "HTTP libraries 1" => [with("excon"), "print response.status", "200"],
    "HTTP libraries 2" => [with("rest-client"), "print response.code", "200"],
    "HTTP libraries 3" => [with("httparty"), "print response.code", "200"],
    "HTTP libraries 4" => [with("http"), "print response.code", "200"],
    "HTTP libraries 5" => [with("typhoeus"), "print response.code", "200"],
    "HTTP libraries 6" => [with("open-uri"), "print file.status.first", "200"],
    "Faraday 1" => [CLIENT, "print response.status", "200"],
    # As an application does; test/rails_test.rb has real ones.
    "Rails 1" => [<<~BEFORE, "print TPS.client.token.size, TPS.client.account.settings.timeout_ms", "645000"],
      $VERBOSE = nil
      require "rails"
      require "active_support/core_ext/integer/time"
      # This test's own process had it before Rails.
      require "tps/railtie"
      Application = Class.new(Rails::Application) { def self.name = "Application" }
      row = %i[username password organization_id].to_h { |name| [name, ENV.delete("TPS_\#{name.upcase}")] }
      Rails.application.credentials.define_singleton_method(:tps) { row }
    BEFORE
    "Puma, Sidekiq, Resque, forks 1" => [<<~BEFORE, <<~AFTER, "60nil"],
      $VERBOSE = nil # Sidekiq itself causes warnings.
      require "net/http"
      require "sidekiq/testing"
      require "tps"
      Sidekiq.logger.level = Logger::WARN
    BEFORE
      Sidekiq::Testing.inline! { OrganizationsJob.perform_async }
      wait = OrganizationsJob.sidekiq_retry_in_block
      print wait.call(0, TPS::ThrottledError.new("wait", retry_after: 59.5)), wait.call(0, IOError.new).inspect
    AFTER
    "Puma, Sidekiq, Resque, forks 2" => [<<~BEFORE, "", "64"],
      require "tps"
      module Resque
        def self.before_first_fork
          print yield.token.size
        end
      end
    BEFORE
    "Threads, Async, Ractors 1" => [with("async").sub("TPS.from_env", "TPS.from_env(lazy: true)"), "", "64"],
    "Logs, events, stats 1" => [<<~BEFORE, "TPS.from_env", "login first"],
      $VERBOSE = nil
      require "active_support"
      require "active_support/notifications"
      require "tps"
    BEFORE
    "Tests of your own 1" => ["#{WEBMOCK}ENV.delete(\"TPS_BASE_URL\")", "print response.code, client.token", "200t"],
    "Tests of your own 2" => [WEBMOCK, "print response.code, client.token", "200t2"],
    "Tests of your own 3" => ["$VERBOSE = nil\nrequire \"vcr\"\nrequire \"tps/testing\"",
                              "print TPS.from_env.token", "fake-token"],
    "Use 1" => [CLIENT, "print client.token.size", "64"]
  }.freeze

  PARTS = /^```(?<language>\w*)\n(?<code>.*?)^```$|^##? (?<heading>[^\n]*)$/m

  # @return [Hash{String => String}] the blocks by heading and number
  def self.blocks(readme)
    heading = nil
    numbers = Hash.new(0)
    File.read(File.expand_path(readme, __dir__),
              encoding: "UTF-8").scan(PARTS).each_with_object({}) do |(language, code, title), found|
      heading = title || heading
      found["#{heading} #{numbers[heading] += 1}"] = code if language == "ruby"
    end
  end

  BLOCKS = { **blocks("../README.md"), **blocks("../../../README.md") }.freeze

  def test_none_is_left_out
    assert_equal AROUND.keys, BLOCKS.keys
  end

  AROUND.each do |name, (before, after, printed)|
    define_method(:"test_#{name}") do
      # Debian 13 has none.
      skip "needs VCR" if before.include?("vcr") && Gem::Specification.find_all_by_name("vcr").empty?
      lines, status = run_ruby([before, here(BLOCKS.fetch(name)), after].join("\n"))

      assert_equal [printed], lines
      assert_predicate status, :success?
      assert_equal name.start_with?("Tests of your own") ? 0 : 1, @organization.logins
    end
  end

  private

  # With this test's credentials and server, where a block says which.
  def here(code)
    texts = { "hari@example.com" => @organization.username, '"welcome"' => @organization.password.inspect,
              "auhf2k" => @organization.id }
    texts[SERVICE] = Organization::SERVER unless code.include?("TPS::Testing")
    code.gsub(Regexp.union(texts.keys), texts)
  end
end
