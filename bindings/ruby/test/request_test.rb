# frozen_string_literal: true

require "logger"
require "stringio"
require "test_helper"
require "tps/testing"

# TPS::Client#request. The library's own question whether a token is gone goes to the organizations too: it has another
# User-Agent.
class RequestTest < TPSTest
  include SentRequests

  ORGANIZATIONS = URI("#{Organization::SERVER}/api/v1/organizations/")
  LOGOUT = "/api/auth/logout/"

  def test_the_header_is_set_and_taken_away
    organization = Organization.new
    client = TPS.login(**organization.login)
    request = Net::HTTP::Get.new(ORGANIZATIONS)
    response = client.request(request)

    assert_kind_of Net::HTTPOK, response
    assert_includes response.body, organization.name
    refute request.key?("Authorization")
    assert_secret client.token, request.to_hash.inspect
  end

  def test_a_revoked_token_costs_one_login_and_one_more_request
    organization = Organization.new
    client = TPS.login(**organization.login)
    first = client.token
    organization.revoke

    assert_equal "200", client.request(Net::HTTP::Get.new(ORGANIZATIONS)).code
    refute_equal first, client.token
    assert_equal [2, 1], organization.counts.values_at(:logins, :api_calls)
  end

  def test_many_threads_and_a_revoked_token
    organization = Organization.new
    client = TPS.login(**organization.login)
    organization.revoke
    codes = Array.new(10) { Thread.new { client.request(Net::HTTP::Get.new(ORGANIZATIONS)).code } }.map(&:value)

    assert_equal ["200"], codes.uniq
    assert_equal 2, organization.logins
  end

  def test_never_a_third_time
    response = request("organizations-401")

    assert_equal "401", response.code
    assert_equal 2, sent.size
    assert_equal 2, authorizations.uniq.size
    assert_equal 2, @faults.logins
  end

  def test_a_token_that_the_server_takes_after_all
    assert_equal "200", request("organizations-401,ok").code
    assert_equal [2, 1], [sent.size, @faults.logins]
  end

  def test_a_403_for_the_token
    assert_equal "200", request("organizations-403-invalid-token,ok").code
    assert_equal 2, sent.size
  end

  %w[403 inactive malformed-header no-credentials detail-401 html401 html500].each do |scenario|
    define_method(:"test_#{scenario}_passes") do
      response = request("organizations-#{scenario},ok")

      assert_operator response.code.to_i, :>=, 401
      assert_equal [1, 1], [sent.size, @faults.logins]
      assert_equal 0, @client.stats[:invalidations]
    end
  end

  def test_a_login_that_fails_meanwhile
    organization = Organization.new
    client = TPS.login(**organization.login)
    organization.revoke
    organization.change(throttle: { allow: 0, wait: 60 })

    assert_error(TPS::ThrottledError, :throttled) { client.request(Net::HTTP::Get.new(ORGANIZATIONS)) }
  end

  # Both have their own idea of it: what is not given, and how a URL is read.
  def test_the_origin_is_the_librarys
    ["https://APP.tpstreams.com", "https://[::1]:8443/a", "https://localhost:443/", nil].each do |url|
      client = TPS::Client.new(**Faults::CREDENTIALS, cache: "memory", base_url: url)
      assert_equal TPS::Origin.of(client.stats[:base_url]), client.account.origin
      assert client.account.origin
    end
  end

  # The same host and port.
  def test_another_scheme_gets_no_header
    start("ok")
    client = TPS::Testing.fake(token: "t", base_url: "https://#{@faults.uri.host}:#{@faults.uri.port}")
    client.request(Net::HTTP::Get.new(@faults.uri))

    assert_equal [nil], authorizations
  end

  def test_another_host_or_port_gets_no_header
    start("ok")
    port = @faults.uri.port
    ["http://127.0.0.2:#{port}", Organization::SERVER, "http://localhost:#{port}"].each do |server|
      request = Net::HTTP::Get.new(@faults.uri(server:))
      request["Authorization"] = "Basic aGk="
      @client.request(request)
      assert_equal "Basic aGk=", request["Authorization"]
    end
    assert_equal ["Basic aGk="] * 2, authorizations
    assert_equal 1, @faults.logins
  end

  def test_a_redirect_to_another_host
    response = request("organizations-redirect302")
    assert_equal "302", response.code
    assert_empty sent("/elsewhere/")

    @client.request(Net::HTTP::Get.new(URI(response["Location"])))
    assert_equal [nil], authorizations("/elsewhere/")
  end

  def test_a_body_is_sent_again
    start("logout-401,ok")
    request = post
    request.body = "a body"

    assert_equal "204", @client.request(request).code
    assert_equal ["a body"] * 2, bodies
  end

  def test_a_stream_goes_back_to_where_it_began
    start("logout-401,ok")
    stream = StringIO.new("not this: a body").tap { |it| it.seek(10) }

    assert_equal "204", @client.request(post(stream, 6)).code
    assert_equal ["a body"] * 2, bodies
  end

  # Who knows what was read of it before.
  def test_a_stream_that_does_not_tell_where_it_is
    start("logout-401,ok")
    stream = StringIO.new("not this: a body").tap { |it| it.seek(10) }
    stream.singleton_class.undef_method(:pos, :seek)

    assert_equal "401", @client.request(post(stream, 6)).code
    assert_equal ["a body"], bodies
    assert_equal 1, @client.stats[:invalidations]
  end

  def test_a_stream_that_is_used_up_is_not_sent_again
    start("logout-401,ok")
    IO.pipe do |reader, writer|
      writer << "a body"
      writer.close
      assert_equal "401", @client.request(post(reader, 6)).code
    end

    assert_equal ["a body"], bodies
    # The token was reported all the same.
    assert_equal 1, @client.stats[:invalidations]
  end

  def test_a_form_with_a_file
    start("logout-401,ok")
    Tempfile.create do |file|
      file << "in the file"
      file.rewind
      request = post
      request.set_form({ "a" => "1", "file" => file }, "multipart/form-data")
      assert_equal "204", @client.request(request).code
    end

    assert_equal 2, bodies.size
    bodies.each { |body| assert_includes body, "in the file" }
  end

  def test_a_form_with_a_pipe
    start("logout-401,ok")
    IO.pipe do |reader, writer|
      writer.close
      request = post
      request.set_form([["file", reader, { filename: "a" }]], "multipart/form-data")
      assert_equal "401", @client.request(request).code
    end
    assert_equal 1, bodies.size
  end

  def test_a_session_of_the_callers
    start("ok")
    Net::HTTP.start(@faults.uri.host, @faults.uri.port) do |http|
      @client.request(Net::HTTP::Get.new(@faults.uri), http:)
      @faults.revoke
      response = @client.request(Net::HTTP::Get.new(@faults.uri.path), http:)

      assert_equal "200", response.code
      assert_predicate http, :started?
    end
    assert_equal [3, 2], [sent.size, @faults.logins]
  end

  def test_a_session_with_another_host
    start("ok")
    other = Net::HTTP.new("127.0.0.2", @faults.uri.port)
    @client.request(Net::HTTP::Get.new(@faults.uri), http: other)

    assert_equal [nil], authorizations
  end

  def test_the_block_sees_the_answer_that_is_returned
    start("ok")
    @faults.revoke
    seen = []
    response = @client.request(Net::HTTP::Get.new(@faults.uri)) { |answer| answer.read_body { seen << answer.code } }

    assert_equal ["200"], seen.uniq
    assert_equal "200", response.code
  end

  # As if nobody had read the body to judge it.
  { "403" => "You do not have permission to perform this action.", "no-credentials" => "Authentication credentials" }
    .each do |scenario, words|
    define_method(:"test_the_block_reads_the_body_of_#{scenario}") do
      start("organizations-#{scenario}")
      [->(answer, text) { answer.read_body { |chunk| text << chunk } }, ->(answer, text) { answer.read_body(text) },
       ->(answer, text) { text << answer.body }, ->(answer, text) { text << answer.read_body }].each do |read|
        text = +""
        response = @client.request(Net::HTTP::Get.new(@faults.uri)) { |answer| read.call(answer, text) }

        assert_includes text, words
        assert_operator response.code.to_i, :>=, 401
      end
      assert_equal 4, sent.size
    end
  end

  def test_a_block_that_does_not_read
    start("organizations-403")
    codes = []
    response = @client.request(Net::HTTP::Get.new(@faults.uri)) { |answer| codes << answer.code }

    assert_equal ["403"], codes
    assert_includes response.body, "permission"
  end

  def test_a_body_that_was_read_in_part
    start("logout-401,ok")
    stream = StringIO.new("not this: a body")
    stream.read(10)

    assert_equal "204", @client.request(post(stream, 6)).code
    assert_equal ["a body"] * 2, bodies
  end

  # `localhost` against `127.0.0.1`.
  def test_another_origin_is_told_once
    log = StringIO.new
    @faults = Faults.new("ok")
    @client = TPS.login(**@faults.login(logger: Logger.new(log)))
    2.times { @client.request(Net::HTTP::Get.new(@faults.uri(server: "http://127.0.0.2:#{@faults.uri.port}"))) }
    2.times { @client.request(Net::HTTP::Get.new(@faults.uri)) }

    lines = log.string.lines.grep(/no token/)
    assert_equal 1, lines.size
    assert_match(%r{http://127\.0\.0\.2:\d+.*http://127\.0\.0\.1:\d+ \(base_url\)}, lines.first)
  end

  def test_tls_is_checked
    start("ok")
    base_url = @faults.uri("", server: ENV.fetch("TPS_TEST_TLS")).to_s
    client = TPS.login(**@faults.login(base_url:, ca_file: ENV.fetch("TPS_TEST_CA")))
    uri = URI("#{base_url}/api/v1/organizations/")

    assert_equal "200", client.request(Net::HTTP::Get.new(uri)).code
    # A client without the authority sends it nothing.
    assert_raises(OpenSSL::SSL::SSLError) { @client.request(Net::HTTP::Get.new(uri)) }
  end

  def test_what_is_no_request
    start("ok")
    [nil, URI("http://127.0.0.1/"), "http://127.0.0.1/", Net::HTTP::Get.new("/")].each do |wrong|
      error = assert_error(TPS::InvalidArgumentError, :invalid_argument) { @client.request(wrong) }
      assert_match(/\brequest\b.*\bURI\b/, error.message)
    end
  end

  private

  def start(scenario)
    @faults = Faults.new(scenario)
    @client = TPS.login(**@faults.login)
  end

  def request(scenario)
    start(scenario)
    @client.request(Net::HTTP::Get.new(@faults.uri))
  end

  # To a place that the library does not use here.
  def post(stream = nil, length = nil)
    Net::HTTP::Post.new(@faults.uri(LOGOUT), "Content-Type" => "text/plain").tap do |request|
      request.body_stream = stream
      request.content_length = length if length
    end
  end
end
