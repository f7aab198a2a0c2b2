# frozen_string_literal: true

require "test_helper"
require "tps/testing"

class CloseTest < TPSTest
  ORGANIZATIONS = URI("#{Organization::SERVER}/api/v1/organizations/")

  def setup
    super
    @organization = Organization.new
    @client = TPS.login(**@organization.login)
  end

  def test_it_can_be_closed_twice
    refute_predicate @client, :closed?
    2.times { assert_nil @client.close }
    assert_predicate @client, :closed?
  end

  def test_a_closed_client_says_so
    [@client, TPS::Testing.fake(token: "t", base_url: Organization::SERVER)].each do |client|
      client.close
      [
        -> { client.token }, -> { client.authorization }, -> { client.invalidate("t") }, -> { client.logout },
        -> { client.stats }, -> { client.with_token { flunk } },
        -> { client.request(Net::HTTP::Get.new(ORGANIZATIONS)) }
      ].each { |call| assert_match(/closed; make a new one/, assert_error(TPS::ClosedError, :closed, &call).message) }
      assert_match(/\A#<TPS::/, client.inspect)
    end
  end

  def test_others_go_on
    copy = @client.dup
    token = @client.token
    @client.close
    GC.start

    assert_equal token, copy.token
    assert_equal token, TPS.login(**@organization.login).token
    assert_equal 1, @organization.logins
  end

  # Each is freed once: a second time would end the process.
  def test_a_thousand_times
    script = <<~RUBY
      login = #{@organization.login}
      1000.times do |number|
        client = TPS.login(**login)
        Thread.new { client.token rescue TPS::ClosedError } if number % 10 == 0
        client.close
        client.close if number.even?
        GC.start if number % 50 == 0
      end
      GC.start
      print TPS.login(**login).token.size
    RUBY
    output, errors, status = ruby(script)

    assert_equal ["64", ""], [output, errors]
    assert_predicate status, :success?
    # The script's process asked once.
    assert_equal 2, @organization.logins
  end

  def test_during_a_login
    @organization.change(latency: 1)
    client = TPS::Client.new(**@organization.login(password: "wrong"))
    thread = Thread.new { client.token }
    thread.report_on_exception = false
    Timeout.timeout(5) { sleep 0.01 until @organization.logins == 2 }
    client.close
    GC.start

    assert_operator seconds { assert_raises(TPS::ClosedError) { thread.value } }, :<, 0.7
  end
end
