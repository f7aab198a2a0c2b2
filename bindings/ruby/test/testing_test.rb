# frozen_string_literal: true

require "test_helper"
require "tps/testing"

# The client for users' own tests.
class TestingTest < TPSTest
  def test_it_is_a_client
    fake = TPS::Testing.fake(token: "t")

    assert_kind_of TPS::Client, fake
    assert_operator TPS::Client, :===, fake
    assert_equal "Token t", fake.authorization
    # Nothing that a newer client can do is missing or would reach for the library.
    inherited = TPS::Client.public_instance_methods(false) - TPS::Testing::FakeClient.public_instance_methods(false)
    assert_equal %i[account authorization close closed? inspect invalidate logout request stats token with_token],
                 inherited.sort
  end

  def test_neither_library_nor_ffi_nor_network_is_needed
    script = <<~RUBY
      require "tps/testing"
      fake = TPS::Testing.fake(token: "t")
      fake.token
      fake.invalidate("t")
      fake.logout
      fake.stats
      fake.close
      print $LOADED_FEATURES.grep(/ffi|socket/)
    RUBY
    assert_equal ["[]", ""], ruby(script, "TPS_LIBRARY" => "/nonexistent/libtps.so").first(2)
  end

  def test_one_token_for_ever
    fake = TPS::Testing.fake(token: "t")
    3.times { fake.invalidate(fake.token) }
    fake.logout

    assert_equal "t", fake.token
    assert_equal({ invalidations: 3, false_alarms: 3, logins: 1 },
                 fake.stats.slice(:invalidations, :false_alarms, :logins))
  end

  def test_tokens_one_after_another
    fake = TPS::Testing.fake(tokens: %w[t1 t2 t3])
    tokens = [fake.token, fake.token]
    fake.invalidate("t1")
    fake.invalidate("t1")
    tokens << fake.token
    fake.logout
    tokens << fake.token
    fake.invalidate("t3")

    assert_equal %w[t1 t1 t2 t3 t3], tokens << fake.token
    assert_equal({ first: 2, ended: 0, renewed: 0, rejected: 1 }, fake.stats[:logins_by_reason])
  end

  def test_an_error
    error = TPS::ThrottledError.new("wait", http_status: 429, retry_after: 60.0)
    fake = TPS::Testing.fake(error:)
    2.times do
      raised = assert_error(TPS::ThrottledError, :throttled) { fake.authorization }
      assert_equal ["wait", 429, 60.0], [raised.message, raised.http_status, raised.retry_after]
    end
    assert_equal 2, fake.stats[:logins_failed]
  end

  def test_an_error_between_tokens
    fake = TPS::Testing.fake(tokens: ["t1", TPS::NetworkError.new("gone"), "t2"])
    fake.invalidate(fake.token)

    assert_error(TPS::NetworkError, :network) { fake.token }
    assert_equal "t2", fake.token
  end

  def test_wrong_arguments
    [{}, { tokens: [] }, { token: "t", error: TPS::Error.new }].each do |wrong|
      assert_raises(ArgumentError) { TPS::Testing.fake(**wrong) }
    end
    assert_error(TPS::InvalidArgumentError, :invalid_argument) { TPS::Testing.fake(tokens: ["t1", 7]) }
    fake = TPS::Testing.fake(token: "t")
    [nil, 7, "a\0"].each do |wrong|
      assert_error(TPS::InvalidArgumentError, :invalid_argument) { fake.invalidate(wrong) }
    end
  end

  def test_many_threads
    fake = TPS::Testing.fake(tokens: (1..50).map { |it| "t#{it}" })
    Array.new(10) { Thread.new { 20.times { fake.invalidate(fake.token) } } }.each(&:join)
    assert_equal "t50", fake.token
    assert_equal 50, fake.stats[:logins]
  end

  def test_stats_have_the_real_ones_shape
    real = TPS.login(**Faults.new("ok").login)
    fake = TPS::Testing.fake(token: "t").tap(&:token)

    assert_equal shape(real.stats), shape(fake.stats)
  end

  def test_webmock
    script = <<~RUBY
      require "net/http"
      require "tps/testing"
      require "webmock"
      WebMock.enable!
      WebMock.disable_net_connect!
      url = "https://app.tpstreams.com/api/v1/organizations/"
      WebMock.stub_request(:get, url).with(headers: { "Authorization" => "Token t1" })
             .to_return(status: 401, body: '{"detail":"Invalid token."}')
      WebMock.stub_request(:get, url).with(headers: { "Authorization" => "Token t2" }).to_return(body: "yes")
      fake = TPS::Testing.fake(tokens: %w[t1 t2 t3])
      print fake.request(Net::HTTP::Get.new(URI(url))).body, fake.token
      fake.request(Net::HTTP::Get.new(URI(url))) { |response| print response.body }
    RUBY
    output, errors, = ruby(script)
    assert_equal "yest2yes", output, errors
  end

  private

  def shape(stats)
    stats.transform_values { |value| value.is_a?(Hash) ? value.keys.sort : value.is_a?(Integer) }
         .except(:hits, :login_budget_left)
  end
end
