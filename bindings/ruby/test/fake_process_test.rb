# frozen_string_literal: true

require "test_helper"
require "tps/faraday"
require "tps/testing"

# TPS::Testing.fake!: no client of the process touches the network.
class FakeProcessTest < TPSTest
  def setup
    super
    @organization = Organization.new
  end

  def teardown
    TPS::Testing.real!
    super
  end

  def test_new_clients_and_those_that_are_there
    before = TPS.login(**@organization.login)
    lazy = TPS::Client.new(**@organization.login)
    TPS::Testing.fake!
    clients = [before, lazy, TPS.login(**@organization.login), TPS::Client.new { @organization.login }]

    assert_equal ["fake-token"], clients.map(&:token).uniq
    clients.each { |client| client.invalidate(client.token) }
    clients.each(&:logout)
    clients.each { |client| assert_kind_of Hash, client.stats }
    assert_equal({ logins: 1, logouts: 0 }, @organization.counts.slice(:logins, :logouts))

    assert_nil TPS::Testing.real!
    refute_equal "fake-token", before.token
    assert_equal before.token, lazy.token
    assert_equal 1, @organization.logins
  end

  def test_from_env
    ENV.update("TPS_USERNAME" => "hari", "TPS_PASSWORD" => "welcome", "TPS_ORGANIZATION_ID" => "auhf2k")
    TPS::Testing.fake!(token: "t")
    assert_equal %w[t t], [TPS.from_env.token, TPS.from_env(lazy: true).token]
  end

  def test_with_a_block
    result = TPS::Testing.fake!(tokens: %w[t1 t2]) do
      assert_predicate TPS::Testing, :fake?
      TPS.login(**@organization.login).with_token do |token|
        raise TPS::TokenRejected if token == "t1"

        token
      end
    end

    assert_equal ["t2", false], [result, TPS::Testing.fake?]
    assert_raises(IOError) { TPS::Testing.fake! { raise IOError } }
    refute_predicate TPS::Testing, :fake?
    assert_equal 0, @organization.logins
  end

  def test_an_error
    TPS::Testing.fake!(error: TPS::ThrottledError.new("wait", http_status: 429, retry_after: 60.0))
    error = assert_error(TPS::ThrottledError, :throttled) { TPS.login(**@organization.login) }
    assert_in_delta 60.0, error.retry_after
  end

  def test_neither_library_nor_ffi_is_needed
    script = <<~RUBY
      require "tps/testing"
      TPS::Testing.fake!
      print TPS.login(username: "a", password: "b", organization_id: "c").token, $LOADED_FEATURES.grep(/ffi|socket/)
    RUBY
    assert_equal ["fake-token[]", ""], ruby(script, "TPS_LIBRARY" => "/nonexistent/libtps.so").first(2)
  end

  # What is wrong with these, the real one says too; each is asked both.
  WRONG = {
    username: [nil, "", 7, "a\0"], password: [nil, "", "s3cr\xFFet"], organization_id: [nil, ""],
    colour: ["red"], timeout_ms: ["soon", 0, -1, 3_600_001], timeout: [0, "5"], connect_timeout_ms: [1.5],
    refresh_ahead: ["soon", -1], logins_per_day: [-1, "ten"], proxy: [7], user_agent: [7], cache: ["s3cr", 7],
    base_url: ["http://app.tpstreams.com", "app.tpstreams.com", "https://hari:s3cr@app.tpstreams.com", [],
               "https://app.tpstreams.com?a=b"],
    ca_file: ["/nonexistent/ca.pem", 7], logger: [7],
    token: ["", " ", "a b", "ä", "Token a", "null", "a\n", "a" * 4097, "s3cr\0et", 7]
  }.freeze

  WRONG.each do |name, values|
    values.each_with_index do |value, number|
      define_method(:"test_both_refuse_#{name}_#{number}") do
        refuse = lambda do
          error = assert_error(TPS::InvalidArgumentError, :invalid_argument, secrets: "s3cr") do
            TPS.login(**@organization.login(name => value))
          end
          assert_match(/\b#{name}/, error.message)
        end
        refuse.call
        TPS::Testing.fake!(&refuse)
        assert_equal 0, @organization.logins
      end
    end
  end

  def test_the_fakes_tokens_are_such_as_the_real_one_takes
    WRONG.fetch(:token).each do |token|
      [-> { TPS::Testing.fake(token:) }, -> { TPS::Testing.fake!(token:) }, lambda {
                                                                              TPS::Testing.fake(tokens: ["t", token])
                                                                            }]
        .each { |make| assert_error(TPS::InvalidArgumentError, :invalid_argument, secrets: "s3cr", &make) }
    end
    assert_error(TPS::InvalidArgumentError, :invalid_argument) { TPS::Testing.fake(token: "t").invalidate("") }
    assert_error(TPS::InvalidArgumentError, :invalid_argument) { TPS::Testing.fake(token: "t", base_url: "nowhere") }
  end

  # WebMock does not see what the library sends; so the library asks it.
  def test_webmock_keeps_a_real_client_from_logging_in
    script = <<~RUBY
      $VERBOSE = nil
      require "net/http"
      require "webmock"
      WebMock.enable!
      WebMock.disable_net_connect!
      client = TPS::Client.new(**#{@organization.login})
      [-> { client.token }, -> { client.logout }].each do |call|
        call.call
      rescue TPS::NetworkError => e
        puts e.message
      end
      WebMock.disable_net_connect!(allow_localhost: true)
      puts client.token.size
      WebMock.disable_net_connect!
      puts client.token.size
      WebMock.disable!
      puts client.logout.inspect
    RUBY
    output, errors, = ruby(script)

    assert_equal 2, output.scan(/^WebMock forbids connections to #{Organization::SERVER}.*TPS::Testing\.fake!/).size,
                 errors
    assert_equal %w[64 64 nil], output.lines(chomp: true).last(3)
    assert_equal 1, @organization.logins
  end

  def test_vcr_keeps_a_real_client_from_logging_in
    script = <<~RUBY
      $VERBOSE = nil
      begin
        require "vcr"
      rescue LoadError
        exit 9
      end
      require "net/http"
      VCR.configure { |config| config.hook_into :webmock }
      client = TPS::Client.new(**#{@organization.login})
      begin
        client.token
      rescue TPS::NetworkError => e
        puts e.message
      end
      VCR.turned_off { [WebMock.allow_net_connect!, puts(client.token.size)] }
    RUBY
    output, errors, status = ruby(script)
    skip "needs VCR" if status.exitstatus == 9

    assert_match(/\AVCR forbids connections.*TPS::Testing\.fake!.*\n64\n\z/, output, errors)
    assert_equal 1, @organization.logins
  end
end
