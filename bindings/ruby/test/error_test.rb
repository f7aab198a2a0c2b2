# frozen_string_literal: true

require "socket"
require "test_helper"

class ErrorTest < TPSTest
  def test_wrong_password
    organization = Organization.new
    error = refused(TPS::CredentialsError, :credentials, organization.login(password: "s3cr3t"))
    assert_equal 400, error.http_status
    assert_operator error.retry_after, :>, 0
  end

  def test_unknown_organization
    error = refused(TPS::CredentialsError, :credentials, Organization.new.login(organization_id: "nope"))
    assert_equal 400, error.http_status
  end

  def test_limit_reached
    organization = Organization.new(token_limit: 0)
    error = refused(TPS::TokenLimitError, :token_limit, organization.login)
    assert_equal 403, error.http_status
    assert_operator error.retry_after, :>, 0
  end

  def test_throttled
    organization = Organization.new(throttle: { allow: 0, wait: 60 })
    client = TPS::Client.new(**organization.login)
    2.times do
      error = assert_error(TPS::ThrottledError, :throttled, secrets: organization.password) { client.token }
      assert_equal 429, error.http_status
      assert_in_delta 60, error.retry_after, 5
    end
    assert_equal 1, organization.logins
  end

  def test_html_instead_of_json
    organization = Organization.new(fault: "html500")
    error = refused(TPS::ServerError, :server, organization.login)
    assert_equal 500, error.http_status
    error = refused(TPS::ServerError, :server, Faults.new("html500").login)
    assert_equal 500, error.http_status
    error = refused(TPS::UnexpectedResponseError, :unexpected_response, Faults.new("html200").login)
    assert_equal 200, error.http_status
  end

  def test_connection_refused
    error = refused(TPS::NetworkError, :network, Faults.new("ok").login(base_url: "http://127.0.0.1:#{free_port}"))
    assert_nil error.http_status
  end

  def test_a_server_that_echoes_the_request
    error = refused(TPS::CredentialsError, :credentials, Faults.new("echo").login)
    assert_match(/You sent/, error.message)
  end

  def test_a_server_that_hangs_up
    refused(TPS::OutcomeUnknownError, :outcome_unknown, Faults.new("close").login)
  end

  def test_a_server_that_never_answers
    faults = Faults.new("hang")
    elapsed = seconds { refused(TPS::OutcomeUnknownError, :outcome_unknown, faults.login(timeout_ms: 1500)) }

    assert_in_delta 1.5, elapsed, 0.5
    assert_equal 1, faults.logins
  end

  def test_each_class_has_its_status
    errors = TPS.constants.map { |name| TPS.const_get(name) }.select { |it| it.is_a?(Class) && it < TPS::Error }

    assert_equal 15, errors.size
    errors.each do |error_class|
      name = error_class.name[/(?<=::)\w+?(?=(?:Error)?\z)/].gsub(/(?<=[a-z])(?=[A-Z])/, "_").downcase
      assert_equal name.to_sym, error_class.new.status
      assert_nil error_class.new.http_status
      assert_in_delta 0.0, error_class.new.retry_after
    end
    assert_equal :unknown, TPS::Error.new.status
  end

  private

  def refused(error_class, status, login)
    assert_error(error_class, status, secrets: login[:password]) { TPS.login(**login) }
  end

  def free_port
    TCPServer.open("127.0.0.1", 0) { |server| server.addr[1] }
  end
end
