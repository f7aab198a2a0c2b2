# frozen_string_literal: true

require_relative "errors"

module TPS
  # Passes the library's events on, each one once in a process: to a logger, and to ActiveSupport::Notifications where
  # that is loaded, as `login.tps`, `hold_off.tps` and so on.
  #
  # @api private
  class Events
    # How loud each kind is. One that this gem does not know is `info`.
    LEVELS = { adopted: :debug, rejected: :warn, hold_off: :warn, budget: :error, degraded: :warn }.freeze

    # The number of the last event that was passed on, by the process and by whose it is.
    SEEN = {} # rubocop:disable Style/MutableConstant
    LOCK = Mutex.new
    private_constant :SEEN, :LOCK

    # @param logger [Object] an option's value
    # @return [Object] the same
    # @raise [InvalidArgumentError]
    def self.logger!(logger)
      return logger if !logger || %i[debug info warn error].all? { |level| logger.respond_to?(level) }

      raise InvalidArgumentError, "logger must be a Logger, nil (TPS.logger) or false (none), not #{logger.class}"
    end

    # @param account [Account]
    # @param logger [Logger, false, nil]
    def initialize(account, logger)
      @account = account
      @logger = logger
      @origins = {}
    end

    # What goes wrong where they go to does not concern who asks for a token.
    #
    # @yieldreturn [Array<Hash>] the last events
    # @return [void]
    def pass_on(&last)
      return unless logger || notifications

      unseen(&last).each do |event|
        logger&.public_send(LEVELS.fetch(event[:kind], :info), text(event))
        notifications&.instrument("#{event[:kind]}.tps", event)
      end
    rescue StandardError => e
      warn "tps: an event could not be passed on: #{e.class}", uplevel: 0
    end

    # Says once that a request goes elsewhere, without the token: `localhost` is not `127.0.0.1`.
    #
    # @param origin [Origin, nil] the request's
    # @return [void]
    def other_origin(origin)
      return if @origins.key?(origin)

      @origins[origin] = true
      logger&.warn("TPS: requests to #{origin} carry no token: it belongs to #{@account.origin} (base_url)")
    end

    private

    def logger
      @logger.nil? ? TPS.logger : @logger || nil
    end

    def notifications
      ::ActiveSupport::Notifications if defined?(::ActiveSupport::Notifications)
    end

    # A child of a fork counts anew. In a trap handler there is no lock to be had: a later call tells.
    def unseen
      LOCK.synchronize do
        events = yield
        whose = [Process.pid, @account.identity]
        seen = SEEN.fetch(whose, 0)
        SEEN[whose] = events.last&.fetch(:number, 0) || 0
        events.select { |event| event[:number] > seen }.map { |event| payload(event) }
      end
    rescue ThreadError
      []
    end

    def payload(event)
      status = event[:status] && Error.class_for(event[:status])::STATUS
      { **event, kind: event[:kind].to_sym, status:, organization_id: @account.organization_id }
    end

    def text(event)
      details = event.slice(:reason, :status).compact.map { |name, value| "#{name}=#{value}" }
      details << "#{event[:duration]} ms" if event[:duration]
      details.unshift("organization=#{event[:organization_id]}")
      "TPS: #{event[:kind]} (#{details.join(", ")})#{": #{event[:message]}" if event[:message]}"
    end
  end
end
