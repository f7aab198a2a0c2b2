# frozen_string_literal: true

module TPS
  module Testing
    # A client that follows a script, see {Testing.fake}.
    class FakeClient < Client
      # @api private
      # @param script [Script]
      # @param settings [Settings]
      def initialize(script, settings) # rubocop:disable Lint/MissingSuper -- that takes credentials
        @word = NO_WORD
        @account = FakeAccount.new(script, settings)
      end
    end

    # Whose token it is: nobody's.
    #
    # @api private
    class FakeAccount < Account
      # @return [Script]
      attr_reader :open

      def initialize(script, settings) # rubocop:disable Lint/MissingSuper -- that takes credentials
        @open = script
        @settings = settings
      end
    end
  end
end
