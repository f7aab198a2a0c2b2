# frozen_string_literal: true

module TPS
  # What the environment says.
  #
  # @api private
  module Environment
    # Read together, and by {TPS.from_env} alone: credentials of the environment are never mixed with a caller's.
    CREDENTIALS = %i[username password organization_id token].freeze

    # Defaults for every client.
    OPTIONS = %i[base_url cache ca_file].freeze

    class << self
      # @return [Hash{Symbol => String}] what is set and not empty
      def credentials
        read(CREDENTIALS)
      end

      # @return [Hash{Symbol => String}] what is set and not empty
      def options
        read(OPTIONS)
      end

      # @return [String] the variable's name
      def variable(name)
        "TPS_#{name.upcase}"
      end

      private

      def read(names)
        names.to_h { |name| [name, ENV.fetch(variable(name), "")] }.reject { |_, value| value.empty? }
      end
    end
  end
end
