# frozen_string_literal: true

require_relative "../tps"
require_relative "testing/fake_client"
require_relative "testing/script"
require_relative "testing/substitute"

module TPS
  # For the tests of programs that use this gem. Loaded only by `require "tps/testing"`.
  module Testing
    class << self
      # Makes a client that needs neither the library nor a network. It is a {Client} in every respect:
      # {Client#request}, {Client#with_token} and Faraday send its tokens, through WebMock for instance.
      #
      #   TPS::Testing.fake(token: "t")
      #   TPS::Testing.fake(tokens: %w[t1 t2])
      #   TPS::Testing.fake(tokens: ["t1", TPS::CredentialsError.new("refused")])
      #   TPS::Testing.fake(error: TPS::ThrottledError.new("wait", retry_after: 60.0))
      #
      # @param token [String, nil] what {Client#token} returns, whatever is reported
      # @param tokens [Array<String, Error>, nil] what it returns or raises, one after another. A token serves until it
      #   is reported by {Client#invalidate} or revoked by {Client#logout}. An error is raised once. The last one stays
      # @param error [Error, nil] what it raises each time
      # @param base_url [String] where its tokens are sent
      # @param organization_id [String]
      # @return [FakeClient]
      # @raise [ArgumentError] unless there is one of `token`, `tokens` and `error`
      # @raise [InvalidArgumentError] for a token or a base URL that the real one refuses
      def fake(token: nil, tokens: nil, error: nil, base_url: Settings::DEFAULT_BASE_URL, organization_id: "fake")
        steps = steps(token, tokens, error)
        fault = Checks.base_url(base_url)
        raise InvalidArgumentError, fault if fault

        FakeClient.new(Script.new(steps, base_url), Settings.new({ base_url: }, organization_id))
      end

      # From now on no client of this process touches the library or the network, neither those that are there already
      # nor new ones: all give these tokens. Arguments are checked as before. With a block, until it ends; else until
      # {real!}. Takes `token`, `tokens` and `error` as {fake} does.
      #
      #   TPS::Testing.fake!
      #   TPS::Testing.fake!(tokens: %w[t1 t2]) { … }
      #
      # @return [Object] what the block returns
      # @raise [ArgumentError] if there is more than one of `token`, `tokens` and `error`
      # @raise [InvalidArgumentError] for a token that the real one refuses
      def fake!(token: nil, tokens: nil, error: nil)
        token = "fake-token" unless token || tokens || error
        before = Account.substitute
        Account.substitute = Substitute.new(Script.new(steps(token, tokens, error), Settings::DEFAULT_BASE_URL))
        # What clients have at hand, they would give without asking.
        KeptTokens.clear
        return unless block_given?

        begin
          yield
        ensure
          Account.substitute = before
        end
      end

      # Ends what {fake!} began.
      #
      # @return [nil]
      def real!
        Account.substitute = nil
      end

      # @return [Boolean] whether {fake!} holds
      def fake?
        !Account.substitute.nil?
      end

      private

      def steps(token, tokens, error)
        given = [token, tokens, error].compact
        raise ArgumentError, "give one of token:, tokens: and error:" unless given.one? && given != [[]]

        [*given.first]
      end
    end
  end
end
