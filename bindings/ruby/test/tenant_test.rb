# frozen_string_literal: true

require "fileutils"
require "test_helper"

# Several accounts in one process, and one in the environment: no token crosses, in memory or in a store.
class TenantTest < TPSTest
  FOREIGN = "0123456789abcdef"

  def setup
    super
    @directory = Dir.mktmpdir
    @own, @first, @second = Array.new(3) { Organization.new }
    ENV.update("TPS_USERNAME" => @own.username, "TPS_PASSWORD" => @own.password, "TPS_ORGANIZATION_ID" => @own.id,
               "TPS_BASE_URL" => Organization::SERVER, "TPS_CACHE" => "file:#{@directory}")
  end

  def teardown
    FileUtils.rm_rf(@directory)
    super
  end

  def test_two_tenants_beside_the_environment
    ENV["TPS_TOKEN"] = FOREIGN
    tokens = [@first, @second].map { |tenant| TPS.login(**credentials(tenant)).token }
    own = TPS.from_env.token

    assert_equal FOREIGN, own
    assert_equal 3, [*tokens, own].uniq.size
    assert_equal [1, 1, 0], [@first, @second, @own].map(&:logins)
    tokens.each { |token| assert_equal "200", status_with(token) }
  end

  # Another process, without the environment, asks the store alone.
  def test_nothing_crosses_in_the_store
    ENV["TPS_TOKEN"] = FOREIGN
    token = TPS.login(**credentials(@first)).token
    own = TPS.from_env.token
    script = "print TPS.login(**#{credentials(@first)}, base_url: #{Organization::SERVER.inspect}, " \
             "cache: #{"file:#{@directory}".inspect}).token"
    output, = ruby(script, %w[TPS_USERNAME TPS_PASSWORD TPS_ORGANIZATION_ID TPS_TOKEN].to_h { |name| [name, nil] })

    assert_equal [token, FOREIGN], [output, own]
    assert_equal 1, @first.logins
  end

  # An unfilled row of a table of tenants.
  %i[username password organization_id].each do |name|
    define_method(:"test_#{name}_is_not_filled_from_the_environment") do
      row = credentials(@first)
      [row.merge(name => nil), row.except(name)].each do |unfilled|
        client = TPS::Client.new(**unfilled)
        [-> { TPS.login(**unfilled) }, -> { client.token }, -> { TPS::Client.new { unfilled }.token }].each do |call|
          error = assert_error(TPS::InvalidArgumentError, :invalid_argument, secrets: @first.password, &call)
          assert_match(/\b#{name}\b/, error.message)
        end
      end
      assert_equal [0, 0], [@first, @own].map(&:logins)
    end
  end

  def test_without_any_credentials
    [-> { TPS.login }, -> { TPS::Client.new.token }, -> { TPS::Client.new { nil }.token }].each do |call|
      assert_error(TPS::InvalidArgumentError, :invalid_argument, &call)
    end
    assert_equal 0, @own.logins
  end

  def test_from_env_takes_none_of_a_callers
    { username: "a", password: "s3cr3t", organization_id: "b", token: "s3cr3t" }.each do |name, value|
      error = assert_error(TPS::InvalidArgumentError, :invalid_argument, secrets: "s3cr3t") do
        TPS.from_env(name => value)
      end
      assert_match(/\bfrom_env\b.*\b#{name}\b.*\bTPS\.login\b/, error.message)
    end
    assert_equal 0, @own.logins
  end

  def test_everything_from_the_environment
    ENV["TPS_TOKEN"] = ENV["TPS_CA_FILE"] = ""
    client = TPS.from_env(lazy: true)
    assert_equal 0, @own.logins

    assert_equal client.token, TPS.from_env(timeout: 9).token
    assert_equal 1, @own.logins
    assert_equal @directory, client.stats.dig(:store, :place).delete_suffix("/")[0, @directory.size]
  end

  def test_a_token_of_its_owner
    token = TPS.login(**credentials(@first), cache: "memory").token
    client = TPS.login(**credentials(@second), token:)

    assert_equal token, client.token
    assert_equal 0, @second.logins
  end

  def test_a_block_gives_the_credentials_at_the_first_token
    asked = 0
    client = TPS::Client.new(timeout: 9) { (asked += 1) && credentials(@first).transform_keys(&:to_s) }
    assert_equal [0, "#<TPS::Client organization_id=nil>"], [asked, client.inspect]

    2.times { assert_equal "200", status_with(client.token) }
    assert_equal [1, 1], [asked, @first.logins]
    assert_equal "#<TPS::Client organization_id=#{@first.id.inspect}>", client.inspect
  end

  def test_a_block_that_has_them_later
    rows = [nil, {}, credentials(@first)]
    client = TPS::Client.new { rows.shift }
    2.times { assert_error(TPS::InvalidArgumentError, :invalid_argument) { client.token } }

    assert_equal "200", status_with(client.token)
  end

  def test_a_block_beside_arguments
    assert_error(TPS::InvalidArgumentError, :invalid_argument, secrets: @first.password) do
      TPS::Client.new(password: @first.password) { credentials(@second) }
    end
  end

  private

  def credentials(organization)
    organization.login.slice(:username, :password, :organization_id)
  end

  def status_with(token)
    Net::HTTP.get_response(URI("#{Organization::SERVER}/api/v1/organizations/"),
                           "Authorization" => "Token #{token}").code
  end
end
