# frozen_string_literal: true

require "json"

module TPS
  # Makes what a caller gave, or the environment holds, into what the library takes. No message shows a value.
  #
  # @api private
  module Arguments
    CREDENTIALS = %i[username password organization_id].freeze
    OPTIONS_FROM_ENVIRONMENT = %i[base_url cache ca_file token].freeze

    class << self
      # @param given [Hash{Symbol => String, nil}] the three of {CREDENTIALS}
      # @return [Array<String>] in that order
      def credentials(given)
        CREDENTIALS.map do |name|
          value = given[name]
          value = from_environment(name) if value.nil?
          raise InvalidArgumentError, "#{name} is missing: give #{name}: or set #{variable(name)}" if value.nil?

          text(name, value)
        end
      end

      # @return [Hash{Symbol => Object}] what was given, completed from the environment, without nil
      def options(given)
        given = given.transform_keys(&:to_sym)
        if given.key?(:lazy)
          raise InvalidArgumentError, "lazy is no option in Ruby: TPS::Client.new is lazy, TPS.login is not"
        end

        environment = OPTIONS_FROM_ENVIRONMENT.to_h { |name| [name, from_environment(name)] }
        environment.compact.merge(given.compact)
      end

      # @return [String] the options as the library reads them; it is the library that knows names and types
      def json(options)
        JSON.generate(options.to_h { |name, value| [name, plain(name, value)] })
      rescue JSON::GeneratorError, JSON::NestingError
        # Without the cause: its message may show what could not be written, and that may be a token.
        raise InvalidArgumentError, "an option cannot be written as JSON", cause: nil
      end

      # @return [String] a copy in UTF-8 that no other thread can change
      def text(name, value)
        string = String.try_convert(value)
        raise InvalidArgumentError, "#{name} must be a String, not #{value.class}" unless string

        utf8 = in_utf8(string)
        raise InvalidArgumentError, "#{name} is not valid #{string.encoding}" unless utf8
        raise InvalidArgumentError, "#{name} contains a NUL character" if utf8.include?("\0")

        utf8
      end

      private

      def from_environment(name)
        value = ENV.fetch(variable(name), "")
        value unless value.empty?
      end

      def variable(name)
        "TPS_#{name.upcase}"
      end

      def plain(name, value)
        value = value.to_path if value.respond_to?(:to_path)
        value.respond_to?(:to_str) ? text(name, value) : value
      end

      # Bytes without an encoding of their own, from a socket or from ENV in the C locale, are taken for UTF-8.
      def in_utf8(string)
        bytes = [Encoding::BINARY, Encoding::US_ASCII].include?(string.encoding)
        utf8 = bytes ? string.dup.force_encoding(Encoding::UTF_8) : string.encode(Encoding::UTF_8)
        utf8 if utf8.valid_encoding?
      rescue EncodingError
        nil
      end
    end
  end
end
