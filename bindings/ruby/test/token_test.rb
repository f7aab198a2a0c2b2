# frozen_string_literal: true

require "test_helper"

class TokenTest < TPSTest
  def setup
    super
    @organization = Organization.new
  end

  def test_one_login_and_the_same_token
    client = TPS.login(**@organization.login)
    token = client.token

    assert_same token, client.token
    assert_predicate token, :frozen?
    assert_equal Encoding::UTF_8, token.encoding
    assert_equal "Token #{token}", client.authorization
    assert_equal "200", status_with(client.authorization)
    10_000.times { client.token }
    assert_equal 1, @organization.logins
  end

  def test_two_clients_share_a_token
    assert_equal TPS.login(**@organization.login).token, TPS.login(**@organization.login(timeout_ms: 9000)).token
    assert_equal 1, @organization.logins
  end

  def test_a_collected_client_leaves_the_others_alone
    client = TPS.login(**@organization.login)
    token = client.token
    100.times { TPS.login(**@organization.login) }
    GC.start

    assert_equal token, client.token
    assert_equal 1, @organization.logins
  end

  def test_new_does_nothing_until_it_is_asked
    client = TPS::Client.new(**@organization.login)
    assert_equal 0, @organization.logins
    client.token
    assert_equal 1, @organization.logins
  end

  def test_twenty_threads_and_one_login
    @organization.change(latency: 0.3)
    client = TPS::Client.new(**@organization.login)
    tokens = Array.new(20) { Thread.new { client.token } }.map(&:value)

    assert_equal 1, tokens.uniq.size
    assert_equal 1, @organization.logins
  end

  def test_a_failure_is_shared
    @organization.change(latency: 0.3, throttle: { allow: 0, wait: 60 })
    client = TPS::Client.new(**@organization.login)
    errors = Array.new(20) { Thread.new { assert_raises(TPS::ThrottledError) { client.token } } }.map(&:value)

    assert_equal 20, errors.size
    assert_equal 1, @organization.logins
  end

  def test_a_token_at_hand_costs_one_foreign_call
    client = TPS.login(**@organization.login)
    calls = []
    # What earlier tests left is not released in between.
    GC.start
    GC.disable
    trace = TracePoint.new(:c_call) { |call| calls << call.method_id if call.self.equal?(TPS::Native) }
    trace.enable { client.token }

    assert_equal [:generation], calls
  ensure
    GC.enable
  end

  def test_a_token_at_hand_is_fast_beside_a_busy_thread
    client = TPS.login(**@organization.login)
    busy = Thread.new { loop { nil } }
    # A call that gave up Ruby's lock would wait for the busy thread's turn to end, 100 ms each time.
    assert_operator seconds { 20_000.times { client.token } }, :<, 5
  ensure
    busy&.kill
  end

  def test_a_token_from_its_owner_needs_no_login
    token = TPS.login(**@organization.login).token
    other = Organization.new
    client = TPS.login(**other.login(token:))

    assert_equal token, client.token
    assert_equal 0, other.logins
  end

  def test_an_ended_token_is_replaced
    @organization.change(token_life: 2)
    client = TPS.login(**@organization.login)
    first = client.token
    sleep 2.2

    refute_equal first, client.token
    assert_equal 2, @organization.logins
  end

  def test_a_rejected_token_is_replaced_once
    client = TPS.login(**@organization.login)
    first = client.token
    @organization.revoke
    20.times.map { Thread.new { client.invalidate(first) } }.each(&:join)
    second = client.token

    refute_equal first, second
    assert_same second, client.token
    client.invalidate(first)
    assert_equal second, client.token
    assert_equal 2, @organization.logins
  end

  def test_logout_revokes_and_the_client_stays_usable
    client = TPS.login(**@organization.login)
    first = client.token

    assert_nil client.logout
    assert_equal({ logouts: 1, tokens: 0 }, @organization.counts.slice(:logouts, :tokens))
    refute_equal first, client.token
    assert_equal 2, @organization.logins
  end

  def test_the_wrong_password_is_not_served_the_right_ones_token
    client = TPS.login(**@organization.login)
    assert_raises(TPS::CredentialsError) { TPS.login(**@organization.login(password: "wrong")) }

    assert_equal "200", status_with(client.authorization)
    assert_equal 2, @organization.logins
  end

  def test_stats
    client = TPS::Client.new(**@organization.login)
    before = client.stats
    client.token
    stats = client.stats

    assert_equal Organization::SERVER, stats[:base_url]
    assert_match(/\A\d+\.\d+\.\d+/, stats[:version])
    assert_kind_of Hash, stats[:store]
    assert_equal before[:logins] + 1, stats[:logins]
    assert_equal before[:logins_failed], stats[:logins_failed]
    assert_secret [client.token, @organization.password], stats.inspect
  end

  private

  def status_with(authorization)
    uri = URI("#{Organization::SERVER}/api/v1/organizations/")
    Net::HTTP.get_response(uri, "Authorization" => authorization).code
  end
end
