# frozen_string_literal: true

module TPS
  # Waits for the library in slices, so that Ruby can act in between: `Timeout`, `Thread#kill`, Ctrl-C, other fibers.
  #
  # @api private
  module Waiting
    # How long one call into the library keeps them waiting.
    SLICE_MS = 50

    # Under a fiber scheduler nothing waits inside the library. The pauses between two looks, in milliseconds.
    FIRST_PAUSE = 1
    LONGEST_PAUSE = 20

    class << self
      # Calls the block until it says true.
      #
      # @param limit [Integer] milliseconds
      # @yieldparam milliseconds [Integer] how long it may wait
      # @yieldreturn [Boolean] whether it is done
      # @return [Boolean] false when the time is over
      def until_done(limit)
        scheduler = Fiber.current_scheduler
        deadline = now + limit
        pause = FIRST_PAUSE
        until yield(scheduler ? 0 : (deadline - now).clamp(0, SLICE_MS))
          return false if now >= deadline
          next unless scheduler

          sleep(pause / 1000.0)
          pause = [pause * 2, LONGEST_PAUSE].min
        end
        true
      end

      private

      def now
        Process.clock_gettime(Process::CLOCK_MONOTONIC, :millisecond)
      end
    end
  end
end
