# frozen_string_literal: true

require "digest"
require "json"
require_relative "checks"

module TPS
  module Testing
    # Tokens and errors in the order in which a fake client gives them out.
    #
    # @api private
    class Script
      include Redacted

      # @param steps [Array<String, Error>] at least one
      # @param base_url [String]
      # @raise [InvalidArgumentError] for a token that the real one refuses
      def initialize(steps, base_url)
        steps = steps.map { |step| step.is_a?(Exception) ? step : Text.checked(:token, step) }.freeze
        fault = steps.grep(String).filter_map { |step| Checks.token(:token, step) }.first
        raise InvalidArgumentError, fault if fault

        # A closure and not a variable, so that no dump of the client shows a token.
        @step = -> { steps[@position] }
        @last = steps.size - 1
        @position = 0
        @base_url = base_url
        @counters = Hash.new(0)
        @reason = :first
        @lock = Mutex.new
      end

      # There is no library that it calls.
      def address; end

      # No token of it is kept: each is asked for.
      def generation
        0
      end

      def wait(_milliseconds)
        true
      end

      def token
        @lock.synchronize do
          step = @step.call
          next log_in(step) unless step.is_a?(Exception)

          @counters[:logins_failed] += 1
          move_on
          raise step.dup
        end
      end

      def invalidate(token)
        raise InvalidArgumentError, "token is empty; pass the one that the server rejected" if token.empty?

        @lock.synchronize do
          next unless token == @step.call

          @counters[:invalidations] += 1
          move_on(:rejected) or @counters[:false_alarms] += 1
        end
        nil
      end

      def logout(_milliseconds)
        @lock.synchronize { move_on(:first) }
        true
      end

      # @return [String] as the library's
      def stats
        JSON.generate(report)
      end

      private

      def report
        @lock.synchronize do
          reasons = %i[first ended renewed rejected].to_h { |reason| [reason, @counters[reason]] }
          names = %i[logins_failed waits invalidations false_alarms]
          { version: VERSION, base_url: @base_url,
            store: { kind: "fake", place: nil, degraded: false, why_not: nil, lasting: false },
            token: present, hold_off: nil,
            hits: @counters[:hits], adopted: 0, logins: reasons.values.sum, logins_by_reason: reasons,
            login_budget_left: nil, events: [], **names.to_h { |name| [name, @counters[name]] } }
        end
      end

      def log_in(token)
        @counters[@reason || :hits] += 1
        @reason = nil
        token
      end

      # @return [Boolean] whether there is something to move on to
      def move_on(reason = @reason)
        return false if @position == @last

        @position += 1
        @reason = reason
        true
      end

      def present
        return if @reason

        { fingerprint: Digest::SHA256.hexdigest(@step.call)[0, 12], obtained_at: nil, expires_at: nil }
      end
    end
  end
end
