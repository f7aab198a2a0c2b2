# frozen_string_literal: true

require "json"
require "minitest/autorun"
require "net/http"
require "open3"
require "rbconfig"
require "securerandom"
require "tempfile"
require "timeout"
require "tmpdir"
require "tps"

# Ctrl-C: a shell that runs the tests in the background has it ignored, also for what they start.
trap("INT", "DEFAULT")

%w[TPS_TEST_SERVER TPS_TEST_FAULTS].each do |variable|
  abort "#{variable} is not set: tests/run.sh starts the servers and runs these tests" if ENV[variable].to_s.empty?
end

# A fresh user and organization at the test server, and what the server counts for it.
class Organization
  SERVER = ENV.fetch("TPS_TEST_SERVER").chomp("/")

  attr_reader :id, :name, :username, :password

  def initialize(**settings)
    made = request(Net::HTTP::Post, "", settings)
    @id, @name, @username, @password = made.values_at(:organization_id, :name, :username, :password)
  end

  # Keywords for TPS.login.
  def login(**others)
    { username:, password:, organization_id: id, base_url: SERVER, cache: "memory", **others }
  end

  def change(**settings)
    request(Net::HTTP::Patch, "#{id}/", settings)
  end

  def revoke
    request(Net::HTTP::Post, "#{id}/revoke/")
  end

  def logins
    counts[:logins]
  end

  def counts
    request(Net::HTTP::Get, "#{id}/")
  end

  private

  def request(method, path, body = nil)
    uri = URI("#{SERVER}/_test/organizations/#{path}")
    request = method.new(uri, "Content-Type" => "application/json")
    request.body = JSON.generate(body) if body
    response = Net::HTTP.start(uri.host, uri.port, nil) { |http| http.request(request) }
    response.value
    JSON.parse(response.body, symbolize_names: true)
  end
end

# One test's corner of the server that misbehaves.
class Faults
  SERVER = ENV.fetch("TPS_TEST_FAULTS").chomp("/")
  CREDENTIALS = { username: "hari@example.com", password: "correct horse battery", organization_id: "auhf2k" }.freeze

  def initialize(scenario)
    @scenario = scenario
    @key = SecureRandom.hex(8)
  end

  # Keywords for TPS.login.
  def login(**others)
    { **CREDENTIALS, base_url: uri("").to_s, cache: "memory", **others }
  end

  def uri(path = "/api/v1/organizations/", server: SERVER)
    URI("#{server}/#{@scenario}/#{@key}#{path}")
  end

  def revoke
    Net::HTTP.post(URI("#{SERVER}/_revoke/#{@key}"), "", "Content-Type" => "text/plain").value
  end

  def logins
    counts.fetch("logins")
  end

  # What was sent to this path, with "headers" and "body".
  def sent(path = "/api/v1/organizations/")
    counts.fetch("log").select { |request| request["line"].include?(path) }
  end

  private

  def counts
    JSON.parse(Net::HTTP.get(URI("#{SERVER}/_count/#{@key}")))
  end
end

# What a test's requests were, as its `@faults` saw them; the library's own are left out.
module SentRequests
  def sent(...)
    @faults.sent(...).reject { |request| request["headers"]["user-agent"].start_with?("libtps/") }
  end

  def authorizations(...)
    sent(...).map { |request| request["headers"]["authorization"] }
  end

  def bodies
    sent(self.class::LOGOUT).map { |request| request["body"] }
  end
end

class TPSTest < Minitest::Test
  LIB = File.expand_path("../lib", __dir__)

  # Only what a test says itself shall count.
  def setup
    @environment = ENV.to_h
    ENV.delete_if { |name, _| name.start_with?("TPS_") && !name.match?(/\ATPS_(LIBRARY|TEST_.*)\z/) }
  end

  def teardown
    ENV.replace(@environment)
  end

  # Several classes and statuses: one of them.
  #
  # @return the error, after checks that hold for all of them
  def assert_error(error_class, status, secrets: [], &block)
    error = assert_raises(*error_class, &block)
    assert_includes [*status], error.status
    assert_kind_of Float, error.retry_after
    assert_equal 1, error.message.lines.size
    assert_equal Encoding::UTF_8, error.message.encoding
    assert_secret secrets, error.message, error.inspect, error.full_message(highlight: false), Marshal.dump(error)
    error
  end

  def assert_secret(secrets, *texts)
    Array(secrets).product(texts) { |secret, text| refute_includes text.b, secret.b }
  end

  # @return [String] the file of the library that these tests run with
  def library
    TPS::Client.new(**Faults::CREDENTIALS, cache: "memory")
    File.foreach("/proc/self/maps").filter_map { |line| line[%r{/\S*libtps\.so\S*}] }.first
  end

  # Another Ruby, with the binding loaded.
  def ruby(script, environment = {})
    Open3.capture3(environment, RbConfig.ruby, "-w", "-I#{LIB}", "-rtps", "-e", script)
  end

  def seconds
    start = now
    yield
    now - start
  end

  def now
    Process.clock_gettime(Process::CLOCK_MONOTONIC)
  end

  # Waits until the server has seen the login.
  def wait_for_login(organization)
    Timeout.timeout(5) { sleep 0.01 until organization.logins == 1 }
  end
end
