# frozen_string_literal: true

require_relative "arguments"
require_relative "errors"
require_relative "events"

module TPS
  # Whose token it is: what a client was given, until the library has it, and what Ruby needs of it later.
  #
  # @api private
  class Account
    include Redacted

    class << self
      # @return [Testing::Substitute, nil] what serves all clients instead of the library, see {Testing.fake!}
      attr_accessor :substitute

      # @raise [LibraryError] always
      def refuse_ractors
        raise LibraryError, "TPS works in the main Ractor alone: take the token there and send it to the others"
      end
    end

    # @param given [Hash] keywords of {Client#initialize}; emptied
    # @yieldreturn [Hash, nil] credentials, asked for at the first use
    # @raise [InvalidArgumentError]
    def initialize(given, &credentials)
      self.class.refuse_ractors unless Ractor.current.equal?(Ractor.main)
      @logger = Events.logger!(given.delete(:logger))
      if credentials
        ask_later(given, credentials)
      else
        @arguments = Arguments.new(given)
      end
    end

    # @return [Boolean] whether all credentials are known without asking
    def complete?
      @later.nil? && arguments.complete?
    end

    # Loads the library where nobody forks and no signal comes yet: a file that is half loaded then cannot be loaded any
    # more. If it is missing, the first use raises.
    #
    # @return [void]
    def prepare
      TPS.load! unless self.class.substitute
    rescue LibraryError
      nil
    end

    # What does the work: the library's client, made at the first call, or a substitute in its place.
    #
    # @return [Native::Handle, Testing::Script]
    # @raise [InvalidArgumentError] if a credential is missing
    # @raise [LibraryError]
    def open
      return self.class.substitute.script_for(arguments) if self.class.substitute
      return @handle if @handle

      # Two threads may be here at once: both get the same client of the library.
      arguments = self.arguments or return @handle
      arguments.complete!
      TPS.load!
      @settings = arguments.settings
      @connection = new_connection
      @identity = arguments.identity
      @handle = Native.open(arguments)
    ensure
      # The library has them now.
      @arguments = @later = nil if @handle
    end

    # @return [void]
    def close
      @handle = nil
    end

    # @return [Settings]
    def settings
      @settings || arguments.settings
    end

    # @return [Origin, nil]
    def origin
      settings.origin
    end

    # @return [Connection]
    def connection
      @connection ||= new_connection
    end

    # @return [Integer, nil] the same for accounts that share a token; nil until the library has it
    attr_reader :identity

    # @return [Events]
    def events
      @events ||= Events.new(self, @logger)
    end

    # @return [String, nil]
    def organization_id
      (@settings || @arguments&.settings)&.organization_id
    end

    private

    def ask_later(given, credentials)
      both = given.keys.map(&:to_sym).intersect?([:token, *Arguments::CREDENTIALS])
      options = both ? nil : given.dup
      given.clear
      raise InvalidArgumentError, "give credentials as arguments or by a block, not both" if both

      @later = -> { { **options, **hash(credentials.call) } }
    end

    # @return [Arguments, nil] nil once the library has them
    def arguments
      return @arguments unless @later

      arguments = Arguments.new(@later.call)
      @arguments = arguments if arguments.complete?
      arguments
    end

    # What a block may return: a Hash, or what turns into one.
    def hash(given)
      given.respond_to?(:to_h) ? given.to_h.transform_keys(&:to_sym) : {}
    end

    # Loaded here for fakes: they need no sockets of Ruby's until they send a request.
    def new_connection
      require_relative "connection"
      Connection.new(settings)
    end
  end
end
