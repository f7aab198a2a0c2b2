# frozen_string_literal: true

module TPS
  module Testing
    # A client that follows a script, see {Testing.fake}.
    class FakeClient < Client
      # @api private
      def initialize(script:, base_url:, organization_id:) # rubocop:disable Lint/MissingSuper -- that opens the library
        @handle = script
        @origin = Origin.of(base_url)
        @organization_id = organization_id
      end

      # (see Client#token)
      def token
        handle.token
      end

      # (see Client#invalidate)
      def invalidate(token)
        handle.invalidate(Arguments.text(:token, token))
      end

      # Moves on to what the script holds next.
      #
      # @return [nil]
      def logout
        handle.logout
      end

      # What {Client#stats} tells, of the script. `:logins` are the tokens that were given out.
      #
      # @return [Hash{Symbol => Object}]
      def stats
        handle.stats
      end
    end
  end
end
