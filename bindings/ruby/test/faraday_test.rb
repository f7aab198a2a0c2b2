# frozen_string_literal: true

require "stringio"
require "test_helper"
require "tps/faraday"
require "tps/testing"

# Faraday 2 has it in a gem of its own.
begin
  require "faraday/multipart"
rescue LoadError
  nil
end

class FaradayTest < TPSTest
  include SentRequests

  LOGOUT = "/api/auth/logout/"

  # Sends nothing before the end of `in_parallel`.
  PARALLEL = Class.new(Faraday::Adapter) do
    self.supports_parallel = true

    def self.setup_parallel_manager(_ = nil)
      Class.new(Array) { def run = each(&:call) }.new
    end

    def call(env)
      super
      env[:parallel_manager] << lambda do
        status = env[:request_headers]["Authorization"] == "Token t1" ? 401 : 400
        save_response(env, status, '{"detail":"Invalid token."}')
        env.response.finish(env)
      end
      env.response
    end
  end

  # Asks where an answer leads, as middleware for redirects does.
  FOLLOWS = Class.new(Faraday::Middleware) do
    def call(env)
      @app.call(env).on_complete do |answer|
        next unless answer[:status] == 302

        env[:url] = URI(answer[:response_headers]["Location"])
        env[:status] = nil
        return @app.call(env)
      end
    end
  end

  def test_it_is_loaded_only_when_asked_for
    output, = ruby('puts defined?(Faraday).inspect; require "tps/faraday"; puts TPS::FaradayMiddleware')
    assert_equal "nil\nTPS::FaradayMiddleware\n", output
  end

  def test_the_header_is_set_and_taken_away
    organization = Organization.new
    client = TPS.login(**organization.login)
    connection = Faraday.new { |f| f.request :tps, client }
    response = connection.get("#{Organization::SERVER}/api/v1/organizations/")

    assert_equal 200, response.status
    assert_includes response.body, organization.name
    assert_secret client.token, response.env.inspect, connection.inspect, Marshal.dump(response)
  end

  def test_a_revoked_token_costs_one_login_and_one_more_request
    organization = Organization.new
    connection = connection(TPS.login(**organization.login), Organization::SERVER)
    organization.revoke

    assert_equal 200, connection.get("/api/v1/organizations/").status
    assert_equal [2, 1], organization.counts.values_at(:logins, :api_calls)
  end

  def test_never_a_third_time
    start("organizations-401")
    assert_equal 401, @connection.get(@faults.uri).status
    assert_equal [2, 2], [sent.size, @faults.logins]
  end

  %w[403 inactive malformed-header no-credentials detail-401 html500].each do |scenario|
    define_method(:"test_#{scenario}_passes") do
      start("organizations-#{scenario},ok")
      assert_operator @connection.get(@faults.uri).status, :>=, 401
      assert_equal [1, 1], [sent.size, @faults.logins]
    end
  end

  def test_raise_error
    start("organizations-401,ok") { |f| f.response :raise_error }
    assert_equal 200, @connection.get(@faults.uri).status

    start("organizations-401") { |f| f.response :raise_error }
    error = assert_raises(Faraday::UnauthorizedError) { @connection.get(@faults.uri) }
    assert_equal 2, sent.size
    assert_secret @client.token, error.inspect, error.full_message, error.response.inspect

    start("organizations-403") { |f| f.response :raise_error }
    assert_raises(Faraday::ForbiddenError) { @connection.get(@faults.uri) }
    assert_equal 1, sent.size
  end

  def test_another_host_gets_no_header
    start("ok")
    @connection.get(@faults.uri(server: "http://127.0.0.2:#{@faults.uri.port}"), nil, "Authorization" => "Basic aGk=")
    assert_equal ["Basic aGk="], authorizations
  end

  def test_a_redirect_to_another_host
    @faults = Faults.new("organizations-redirect302")
    client = TPS.login(**@faults.login)
    Faraday.new do |f|
      f.use FOLLOWS
      f.request :tps, client
    end.get(@faults.uri)

    assert_equal [client.authorization, nil], authorizations
    assert_equal 1, sent("/elsewhere/").size
  end

  def test_a_body_is_sent_again
    start("logout-401,ok") { |f| f.request :url_encoded }
    assert_equal 204, @connection.post(@faults.uri(LOGOUT), { a: 1 }).status
    assert_equal ["a=1"] * 2, bodies
  end

  def test_a_stream_goes_back_to_where_it_began
    start("logout-401,ok")
    stream = StringIO.new("not this: a body").tap { |it| it.seek(10) }
    assert_equal 204, post(stream, 6).status
    assert_equal ["a body"] * 2, bodies
  end

  def test_a_stream_that_is_used_up_is_not_sent_again
    start("logout-401,ok")
    IO.pipe do |reader, writer|
      writer << "a body"
      writer.close
      assert_equal 401, post(reader, 6).status
    end

    assert_equal ["a body"], bodies
    assert_equal 1, @client.stats[:invalidations]
  end

  def test_a_form_with_a_file
    start("logout-401,ok") { |f| f.request :multipart }
    assert_equal 204, @connection.post(@faults.uri(LOGOUT), { file: file("in the file") }).status

    assert_equal 2, bodies.size
    bodies.each { |body| assert_includes body, "in the file" }
    sent(LOGOUT).each { |request| assert_equal 1, request["headers"]["content-type"].scan("boundary=").size }
  end

  def test_both_times_the_stack_sees_the_same
    seen = []
    probe = Class.new(Faraday::Middleware) do
      define_method(:call) do |env|
        seen << [env[:status], env[:body], env[:response_headers], env[:request_headers].except("Authorization")]
        @app.call(env)
      end
    end
    start("logout-401,ok") do |f|
      f.use probe
      f.request :url_encoded
    end
    @connection.post(@faults.uri(LOGOUT), { a: 1 })

    assert_equal [[nil, { a: 1 }], 2], [seen.first.first(2), seen.size]
    assert_equal(*seen)
  end

  def test_an_answer_that_is_streamed_is_not_asked_for_again
    start("organizations-401,ok")
    chunks = []
    @connection.get(@faults.uri) { |request| request.options.on_data = ->(chunk, *) { chunks << chunk } }

    assert_equal [1, ['{"detail":"Invalid token."}']], [sent.size, chunks]
    assert_equal 1, @client.stats[:invalidations]
  end

  def test_a_fake_client_and_the_test_adapter
    client = TPS::Testing.fake(tokens: %w[t1 t2])
    stubs = Faraday::Adapter::Test::Stubs.new
    stubs.get("/a") { |env| [env[:request_headers]["Authorization"] == "Token t2" ? 200 : 401, CHALLENGE, ""] }
    connection = Faraday.new("https://app.tpstreams.com") do |f|
      f.request :tps, client
      f.adapter :test, stubs
    end

    assert_equal 200, connection.get("/a").status
    assert_equal 1, client.stats[:invalidations]
  end

  def test_an_answer_that_comes_later
    client = TPS::Testing.fake(tokens: %w[t1 t2])
    connection = Faraday.new("https://app.tpstreams.com") do |f|
      f.request :tps, client
      f.adapter PARALLEL
    end
    response = nil
    connection.in_parallel { response = connection.get("/a") }

    assert_equal [401, "t2"], [response.status, client.token]
    refute response.env[:request_headers].key?("Authorization")
  end

  CHALLENGE = { "WWW-Authenticate" => "Token" }.freeze
  private_constant :CHALLENGE

  private

  def start(scenario, &stack)
    @faults = Faults.new(scenario)
    @client = TPS.login(**@faults.login)
    @connection = connection(@client, &stack)
  end

  def connection(client, url = nil)
    Faraday.new(url) do |f|
      f.request :tps, client
      yield f if block_given?
      f.adapter :net_http
    end
  end

  def post(stream, length)
    @connection.post(@faults.uri(LOGOUT), stream, "Content-Type" => "text/plain", "Content-Length" => length.to_s)
  end

  def file(content)
    part = defined?(Faraday::Multipart) ? Faraday::Multipart::FilePart : Faraday::FilePart
    part.new(StringIO.new(content), "text/plain", "a.txt")
  end
end
