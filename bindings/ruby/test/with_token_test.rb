# frozen_string_literal: true

require "test_helper"
require "tps/testing"

# TPS::Client#with_token, and what it takes for a rejected token.
class WithTokenTest < TPSTest
  # As Faraday's, Excon's and others' responses look, and HTTParty's.
  WithStatus = Struct.new(:status, :headers, :body)
  WithCode = Struct.new(:code, :headers, :body)
  Bare = Struct.new(:status)

  CHALLENGE = { "WWW-Authenticate" => "Token" }.freeze
  INVALID = '{"detail":"Invalid token."}'

  REJECTED = [
    WithStatus.new(401, CHALLENGE, INVALID), WithCode.new("401", {}, INVALID), WithStatus.new(401, {}, INVALID),
    WithStatus.new(403, {}, INVALID), WithStatus.new(401, {}, { "detail" => "Invalid token." }),
    WithStatus.new(401, {}, { detail: "Invalid token." }),
    WithStatus.new(401, CHALLENGE, '{"detail":"Ungültiges Token."}'), WithStatus.new(401, CHALLENGE, ""),
    WithStatus.new(401, CHALLENGE, nil), WithStatus.new(401, CHALLENGE, "<html>"), WithStatus.new(401, CHALLENGE, "[]"),
    WithStatus.new(401, { www_authenticate: ["Basic realm=\"api\", Token"] }, "\xFF"),
    WithStatus.new(401, CHALLENGE, Object.new), Bare.new(401)
  ].freeze

  OTHERS = [
    nil, 401, "401", :"401", [401, {}, []], { "status" => 401 }, Bare.new(nil), Bare.new(:unauthorized), Bare.new(200),
    Bare.new(403), WithStatus.new(200, CHALLENGE, INVALID), WithStatus.new(500, CHALLENGE, INVALID),
    WithStatus.new(403, CHALLENGE, '{"detail":"You do not have permission to perform this action."}'),
    WithStatus.new(401, CHALLENGE, '{"detail":"Authentication credentials were not provided."}'),
    WithStatus.new(401, CHALLENGE, '{"detail":"Invalid token header. No credentials provided."}'),
    WithStatus.new(401, CHALLENGE, '{"detail":"User inactive or deleted."}'),
    WithStatus.new(401, {}, "<html>"), WithStatus.new(401, { "WWW-Authenticate" => "Basic realm=\"Token\"" }, ""),
    WithStatus.new(401, { "WWW-Authenticate" => "Bearer error=\"invalid_token\"" }, "")
  ].freeze

  REJECTED.each_with_index do |response, number|
    define_method(:"test_rejected_#{number}") { assert_equal %w[t1 t2], tokens_until(response), response.inspect }
  end

  OTHERS.each_with_index do |outcome, number|
    define_method(:"test_other_#{number}") { assert_equal %w[t1], tokens_until(outcome), outcome.inspect }
  end

  def test_what_the_block_returns
    assert_equal(:done, fake.with_token { :done })
    assert_nil(fake.with_token { nil })
  end

  def test_the_second_answer_is_returned_whatever_it_is
    answers = [REJECTED.first.dup, REJECTED.first.dup]
    given = answers.dup

    assert_same(answers.last, fake.with_token { given.shift })
    assert_empty given
  end

  def test_token_rejected
    tokens = []
    result = fake.with_token do |token|
      tokens << token
      raise TPS::TokenRejected if token == "t1"

      :done
    end
    assert_equal [:done, %w[t1 t2]], [result, tokens]
  end

  def test_token_rejected_twice
    tokens = []
    error = assert_error(TPS::TokenRejected, :token_rejected, secrets: %w[t1x t2x]) do
      TPS::Testing.fake(tokens: %w[t1x t2x t3x]).with_token do |token|
        tokens << token
        raise TPS::TokenRejected, "gone"
      end
    end
    assert_equal ["gone", %w[t1x t2x]], [error.message, tokens]
    assert_nil error.cause
  end

  def test_another_exception_passes
    tokens = []
    assert_raises(IOError) { fake.with_token { |token| tokens << token and raise IOError } }
    assert_equal %w[t1], tokens
  end

  # An exception's own members are not always a response's.
  def test_an_exception_with_members_of_other_kinds
    wrong = Class.new(StandardError) do
      def response(_needed) = nil
      def io = raise("closed")
    end
    error = assert_raises(wrong) { fake.with_token { raise wrong, "mine" } }
    assert_equal "mine", error.message
  end

  def test_a_list_as_rack_has_it
    assert_equal %w[t1 t2], tokens_until([401, CHALLENGE, [INVALID]])
    assert_equal %w[t1 t2], tokens_until({ status: 401, headers: CHALLENGE, body: INVALID })
    assert_equal %w[t1], tokens_until([403, CHALLENGE, ["{}"]])
  end

  def test_the_real_server
    organization = Organization.new
    client = TPS.login(**organization.login)
    uri = URI("#{Organization::SERVER}/api/v1/organizations/")
    organization.revoke
    codes = []
    response = client.with_token do |token|
      Net::HTTP.get_response(uri, "Authorization" => "Token #{token}").tap { |it| codes << it.code }
    end

    assert_equal [%w[401 200], "200"], [codes, response.code]
    assert_equal 2, organization.logins
  end

  private

  def fake
    TPS::Testing.fake(tokens: %w[t1 t2 t3])
  end

  # Which tokens a block that always returns this is given.
  def tokens_until(outcome)
    [].tap do |tokens|
      fake.with_token do |token|
        tokens << token
        outcome
      end
    end
  end
end
