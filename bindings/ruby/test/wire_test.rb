# frozen_string_literal: true

require "socket"
require "test_helper"

# What goes wrong between here and the server, as Ruby sees it.
class WireTest < TPSTest
  FAILURES = JSON.parse(File.read(File.expand_path("../../../tests/faults/failures.json", __dir__)))
  PASSWORD = %(correct "h<rse" & battéry)

  FAILURES.each do |scenario, (status, http_status)|
    define_method("test_#{scenario}") do
      faults = Faults.new(scenario)
      error = refused(faults.login(password: PASSWORD), status)
      assert_equal http_status, error.http_status.to_i
      assert_operator error.retry_after, :>, 0
      assert_equal 1, faults.logins
    end
  end

  %w[bom gzip chunked early-hints http10 until-the-end cookie].each do |scenario|
    define_method("test_#{scenario}_is_read") do
      assert_equal 64, TPS.login(**Faults.new(scenario).login).token.size
    end
  end

  %w[hang drip-header drip-body].each do |scenario|
    define_method("test_#{scenario}_ends_in_time") do
      elapsed = seconds { refused(Faults.new(scenario).login(timeout_ms: 2000), "outcome_unknown") }
      assert_operator elapsed, :<, 3
    end
  end

  def test_an_authority_of_ones_own
    assert_equal 64, TPS.login(**tls, ca_file: ENV.fetch("TPS_TEST_CA")).token.size
  end

  def test_certificates_that_are_not_trusted
    assert_match(/unknown issuer.*ca_file/, refused(tls, "tls").message)
    {
      tls("TPS_TEST_TLS", host: "localhost") => /another host/,
      tls("TPS_TEST_TLS_EXPIRED") => /expired/,
      tls("TPS_TEST_TLS_SELF") => /self-signed/
    }.each do |login, reason|
      assert_match reason, refused({ **login, ca_file: ENV.fetch("TPS_TEST_CA") }, "tls").message
    end
  end

  def test_a_proxy_that_does_not_connect
    port = TCPServer.open("127.0.0.1", 0) { |server| server.addr[1] }
    message = refused({ **tls, proxy: "http://clerk:s3same@127.0.0.1:#{port}" }, "network").message
    assert_includes message, "the proxy 127.0.0.1:#{port}"
    refute_includes message, "s3same"
  end

  def test_all_is_well_again_after_the_hold_off
    faults = Faults.new("html500,ok")
    client = TPS::Client.new(**faults.login)
    sleep assert_raises(TPS::ServerError) { client.token }.retry_after
    assert_equal 64, client.token.size
  end

  private

  def tls(variable = "TPS_TEST_TLS", host: "127.0.0.1")
    base_url = ENV.fetch(variable).sub("127.0.0.1", host)
    { **Faults::CREDENTIALS, base_url: "#{base_url}/ok/#{SecureRandom.hex(8)}", cache: "memory" }
  end

  def refused(login, status)
    secrets = [login[:password], "battéry", 'batt\u00e9ry', "h&lt;rse", "0123456789abcdef"]
    error = assert_raises(TPS::Error) { TPS.login(**login) }
    assert_error(error.class, status.to_sym, secrets:) { raise error }
  end
end
