# frozen_string_literal: true

require "pp" # rubocop:disable Lint/RedundantRequireStatement -- for pretty_inspect
require "test_helper"
require "tps/faraday"
require "tps/testing"
require "yaml"

class SecretTest < TPSTest
  def setup
    super
    @organization = Organization.new
    @client = TPS.login(**@organization.login)
    @secrets = [@client.token, @organization.password]
    @fake = TPS::Testing.fake(tokens: @secrets, organization_id: @organization.id, base_url: Organization::SERVER)
    @clients = [@client, @fake]
  end

  def test_texts
    assert_equal "#<TPS::Client organization_id=#{@organization.id.inspect}>", @client.inspect
    assert_equal "#<TPS::Testing::FakeClient organization_id=#{@organization.id.inspect}>", @fake.inspect
    @clients.each do |client|
      assert_secret @secrets, client.inspect, client.to_s, client.pretty_inspect, [client].to_s
      assert_secret @secrets, JSON.generate(client), JSON.pretty_generate([client]), { a: client }.to_json,
                    client.as_json
      assert_secret @secrets, client.stats.inspect, client.method(:token).inspect
    end
  end

  def test_dumps_are_refused
    @clients.each do |client|
      [-> { Marshal.dump(client) }, -> { Marshal.dump([client]) }, -> { YAML.dump(client) }].each do |dump|
        error = assert_raises(TypeError, &dump)
        assert_secret @secrets, error.full_message
      end
    end
  end

  def test_no_variable_holds_one
    @clients.each { |client| assert_secret @secrets, reachable(client) }
  end

  def test_what_a_request_leaves_behind
    request = Net::HTTP::Get.new(URI("#{Organization::SERVER}/api/v1/organizations/"))
    connection = Faraday.new { |f| f.request :tps, @client }
    [@client.request(request), connection.get(request.uri), request, connection].each do |object|
      assert_secret @secrets, object.inspect, object.pretty_inspect, reachable(object)
    end
    assert_secret @secrets, YAML.dump(request)
  end

  # The token was sent, or was about to be.
  def test_a_request_that_fails
    closed = Faults.new("organizations-close")
    client = TPS.login(**closed.login)
    request = Net::HTTP::Get.new(closed.uri)
    errors = [
      assert_raises(EOFError) { client.request(request) },
      assert_raises(Faraday::Error) { Faraday.new { |f| f.request :tps, client }.get(closed.uri) },
      assert_raises(NoMethodError) { client.with_token { |token| client.tokenn(token) } }
    ]
    errors.each { |error| assert_secret client.token, error.inspect, error.full_message, error.backtrace.join }
    assert_secret client.token, request.to_hash.inspect
  end

  def test_what_ruby_says_of_a_wrong_call
    @clients.each do |client|
      error = assert_raises(NoMethodError) { client.tokenn }
      assert_secret @secrets, error.message, error.full_message
      error = assert_raises(ArgumentError) { client.invalidate(*@secrets) }
      assert_secret @secrets, error.message, error.full_message, error.backtrace.join
    end
    error = assert_raises(ArgumentError) { TPS.login(*@organization.login.values) }
    assert_secret @secrets, error.message, error.full_message
  end

  def test_a_copy_is_the_same_client
    copies = [@client.dup, @client.clone]
    assert_equal [@client.token] * 2, copies.map(&:token)
    copies.clear
    GC.start
    assert_match(/\A\h{64}\z/, @client.token)
  end

  def test_the_library_prints_nothing
    refused = Organization.new(throttle: { allow: 0, wait: 60 })
    script = <<~RUBY
      client = TPS.login(**#{@organization.login})
      client.token
      client.stats
      client.invalidate("another")
      client.logout
      [#{refused.login}, #{Faults.new("close").login}, #{Faults.new("html500").login}].each do |login|
        TPS.login(**login)
      rescue TPS::Error
        print "."
      end
    RUBY
    output, errors, status = ruby(script)

    assert_equal ["...", ""], [output, errors]
    assert_predicate status, :success?
  end

  private

  # Everything that instance variables lead to.
  def reachable(object, seen = {}.compare_by_identity)
    return "" if seen[object]

    seen[object] = true
    variables = object.instance_variables.map { |name| reachable(object.instance_variable_get(name), seen) }
    [object.inspect, *variables].join("\n")
  end
end

# What error reporters send: the local variables of the frame that raises, and of those above it.
class FrameTest < TPSTest
  SECRET = "s3cr3t"

  # A reporter as they are made: it looks at each frame of the gem's when something is raised.
  REPORTER = <<~RUBY
    require "tps/testing"
    $seen = []
    $frames = 0
    def look(binding)
      $frames += 1
      binding.local_variables.each { |name| $seen << [name, binding.local_variable_get(name).inspect] }
      $seen << binding.receiver.inspect
      binding.receiver.instance_variables.each { |name| $seen << binding.receiver.instance_variable_get(name).inspect }
    end
    TracePoint.new(:raise) { |point| look(point.binding) if point.path.include?("/lib/tps") }.enable
  RUBY

  {
    "a password that is malformed" => 'TPS.login(username: "a", password: "s3cr3t\xFF", organization_id: "b")',
    "a password with NUL" => 'TPS.login(username: "a", password: "s3cr3t\0", organization_id: "b")',
    "a password in a row without a name" => 'TPS.login(username: nil, password: "s3cr3t", organization_id: "b")',
    "a password beside an unknown option" =>
      'TPS.login(username: "a", password: "s3cr3t", organization_id: "b", colour: "red")',
    "a password beside an ill-typed option" =>
      'TPS::Client.new(username: "a", password: "s3cr3t", organization_id: 7)',
    "a password beside a wrong time" =>
      'TPS::Client.new(username: "a", password: "s3cr3t", organization_id: "b", timeout: -1)',
    "a password beside a block" => 'TPS::Client.new(password: "s3cr3t") { nil }',
    "a password in a block" => 'TPS::Client.new { { username: "a", password: "s3cr3t\0" } }.token',
    "a password in the environment" => 'ENV.update("TPS_USERNAME" => "a", "TPS_PASSWORD" => "s3cr3t"); TPS.from_env',
    "a token that is malformed" =>
      'TPS::Client.new(username: "a", password: "b", organization_id: "c").invalidate("s3cr3t\xFF")',
    "a token as an option" => 'TPS.login(username: "a", password: "b", organization_id: "c", token: "s3cr3t\0")',
    "a token given to from_env" => 'TPS.from_env(token: "s3cr3t")',
    "a proxy" => 'TPS.login(username: "a", password: "b", organization_id: "c", proxy: "http://s3cr3t@")',
    "a login that is refused" =>
      'TPS.login(username: "a", password: "s3cr3t", organization_id: "b", base_url: "http://127.0.0.1:1")',
    "a token that is rejected" => 'TPS::Testing.fake(token: "s3cr3t").with_token { raise TPS::TokenRejected }'
  }.each do |name, call|
    define_method(:"test_#{name.tr(" -", "_")}") do
      output, errors, = ruby(<<~RUBY)
        #{REPORTER}
        begin
          #{call}
        rescue TPS::Error => e
          puts e.class, e.full_message(highlight: false)
        end
        puts $frames, $seen.inspect
      RUBY
      assert_match(/\ATPS::\w+\n/, output, errors)
      assert_operator output[/^\d+$/].to_i, :>, 0, "it looked at no frame" unless name == "a token that is rejected"
      # No frame of the gem's has the script itself.
      assert_secret SECRET, output
    end
  end

  def test_what_is_kept_for_all
    client = TPS.login(**Organization.new.login)
    texts = [TPS::KeptTokens::TABLE.inspect, TPS::KeptTokens::TABLE.to_s, TPS::KeptTokens::TABLE.pretty_inspect,
             TPS::KeptTokens.inspect, JSON.generate(TPS::KeptTokens::TABLE)]
    assert_secret client.token, *texts
    assert_raises(TypeError) { Marshal.dump(TPS::KeptTokens::TABLE) }
    assert_raises(TypeError) { YAML.dump(TPS::KeptTokens::TABLE) }
  end
end
