# frozen_string_literal: true

require_relative "checks"

module TPS
  module Testing
    # Serves all clients of the process, see {Testing.fake!}.
    #
    # @api private
    class Substitute
      # @param script [Script]
      def initialize(script)
        @script = script
      end

      # @param arguments [Arguments, nil] nil where the library had them before
      # @return [Script]
      # @raise [InvalidArgumentError] which names the argument, as the library does
      def script_for(arguments)
        return @script unless arguments

        arguments.complete!
        fault = Checks.options(arguments.strings.last)
        raise InvalidArgumentError, fault if fault

        @script
      end
    end
  end
end
