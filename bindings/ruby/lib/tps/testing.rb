# frozen_string_literal: true

require_relative "../tps"
require_relative "testing/fake_client"
require_relative "testing/script"

module TPS
  # For the tests of programs that use this gem. Loaded only by `require "tps/testing"`.
  module Testing
    # Makes a client that needs neither the library nor a network. It is a {Client} in every respect: {Client#request},
    # {Client#with_token} and Faraday send its tokens, through WebMock for instance.
    #
    #   TPS::Testing.fake(token: "t")
    #   TPS::Testing.fake(tokens: %w[t1 t2])
    #   TPS::Testing.fake(tokens: ["t1", TPS::CredentialsError.new("refused")])
    #   TPS::Testing.fake(error: TPS::ThrottledError.new("wait", retry_after: 60.0))
    #
    # @param token [String, nil] what {Client#token} returns, whatever is reported
    # @param tokens [Array<String, Error>, nil] what it returns or raises, one after another: a token serves until it is
    #   reported by {Client#invalidate} or revoked by {Client#logout}, an error is raised once; the last one stays
    # @param error [Error, nil] what it raises each time
    # @param base_url [String] where its tokens are sent
    # @param organization_id [String]
    # @return [FakeClient]
    # @raise [ArgumentError] unless there is one of `token`, `tokens` and `error`
    def self.fake(token: nil, tokens: nil, error: nil, base_url: "https://app.tpstreams.com", organization_id: "fake")
      given = [token, tokens, error].compact
      raise ArgumentError, "give one of token:, tokens: and error:" unless given.one? && given != [[]]

      FakeClient.new(script: Script.new([*given.first], base_url), base_url:, organization_id:)
    end
  end
end
