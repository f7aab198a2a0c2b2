# frozen_string_literal: true

require_relative "tps/version"
require_relative "tps/errors"
require_relative "tps/client"

# One TPStreams API token for every thread and process: made once, reused until it expires or is rejected.
#
#   client = TPS.login(username: "hari@example.com", password: "welcome", organization_id: "auhf2k")
#   client.token          # => "1e14238b…"
#   client.authorization  # => "Token 1e14238b…"
module TPS
  class << self
    # @return [Logger, nil] where the events of all clients are written that have no logger of their own; in Rails its
    #   logger, unless another one was set
    attr_reader :logger

    # @param logger [Logger, nil]
    # @raise [InvalidArgumentError] if it is none
    def logger=(logger)
      @logger = Events.logger!(logger)
    end

    # Makes a client that holds a valid token. Takes what {Client#initialize} takes.
    #
    # @return [Client]
    # @raise [Error] one subclass for each reason
    def login(...)
      Client.login(...)
    end

    # The same with all credentials from the environment: `TPS_USERNAME`, `TPS_PASSWORD`, `TPS_ORGANIZATION_ID`, and
    # where it is set `TPS_TOKEN`, a token of this account. They are read together, and here alone: none can be given.
    #
    # @param lazy [Boolean] whether the first {Client#token} logs in, and tells what is missing, instead of this call
    # @param options [Hash] of {Client#initialize}, without credentials
    # @return [Client]
    # @raise [InvalidArgumentError] which names the variable that is missing
    # @raise [Error] one subclass for each reason
    def from_env(lazy: false, **options)
      Client.from_env(lazy:, **options)
    end

    # Loads the library now, for programs that want to know at their start that it is there. Sends nothing.
    #
    # @return [String] the library's version
    # @raise [LibraryError] which says what to do
    def load!
      # Uninterrupted: neither RubyGems nor a class that is half defined survives a `Timeout` in between.
      Thread.handle_interrupt(Object => :never) do
        require_relative "tps/native"
        require_relative "tps/connection"
      end
      Native.version
    end
  end
end

require_relative "tps/railtie" if defined?(Rails::Railtie)
