# frozen_string_literal: true

require "json"
require_relative "environment"
require_relative "secret"
require_relative "settings"

module TPS
  # Credentials and options as the library takes them, checked as far as Ruby can.
  #
  # A method that raises here has no secret in its local variables: error reporters send them. So a check returns what
  # is wrong, and its caller raises.
  #
  # @api private
  class Arguments
    include Redacted

    CREDENTIALS = %i[username password organization_id].freeze

    # Options in seconds, and the same options in milliseconds.
    SECONDS = { timeout: :timeout_ms, connect_timeout: :connect_timeout_ms }.freeze

    # @return [Settings]
    attr_reader :settings

    # @param given [Hash] keywords; emptied, so that the caller's frame does not show them
    # @raise [InvalidArgumentError] which names the argument; {#complete!} names a missing credential
    def initialize(given)
      fault = take(given)
      raise InvalidArgumentError, fault if fault
    end

    # @return [Boolean] whether there are all credentials
    def complete?
      missing.nil?
    end

    # @raise [InvalidArgumentError] which names the credential that is missing
    def complete!
      raise InvalidArgumentError, missing_message if missing
    end

    # @return [Array<String>] username, password, organization, options as JSON
    def strings
      @strings.call
    end

    # @return [Integer] the same for those who share a token in the library, by a number that this process drew
    def identity
      [*strings.first(3), settings.base_url, settings.cache].hash
    end

    private

    # @return [String, nil] what is wrong
    def take(given)
      given = given.transform_keys(&:to_sym).tap { given.clear }
      return "lazy is not an option here: TPS::Client.new is lazy, TPS.login is not" if given.key?(:lazy)

      credentials = given.slice(*CREDENTIALS)
      options = { **Environment.options, **given.except(*CREDENTIALS).compact }
      fault = convert(credentials) || in_milliseconds(options) || convert(options)
      return fault if fault

      @missing = CREDENTIALS.find { |name| credentials[name].to_s.empty? }
      @settings = Settings.new(options, credentials[:organization_id])
      write(credentials, options)
    end

    attr_reader :missing

    # The library knows names and types.
    def write(credentials, options)
      json = JSON.generate({ **options, lazy: true })
      strings = [*credentials.values_at(*CREDENTIALS), json].freeze
      @strings = -> { strings }
      nil
    rescue JSON::GeneratorError, JSON::NestingError
      "an option cannot be written as JSON"
    end

    # Puts texts in UTF-8 in the place of what was given.
    def convert(values)
      values.each do |name, value|
        next if value.nil?

        value = value.to_path if value.respond_to?(:to_path)
        fault = Text.fault(name, value) if CREDENTIALS.include?(name) || value.respond_to?(:to_str)
        return fault if fault

        values[name] = value.respond_to?(:to_str) ? Text.utf8(value) : value
      end
      nil
    end

    def in_milliseconds(options)
      SECONDS.each do |name, milliseconds|
        next unless options.key?(name)
        return "give #{name} in seconds or #{milliseconds}, not both" if options.key?(milliseconds)

        seconds = options.delete(name)
        return "#{name} must be a number of seconds above 0" unless seconds?(seconds)

        options[milliseconds] = (seconds.to_f * 1000).ceil
      end
      nil
    end

    def seconds?(value)
      value.is_a?(Numeric) && value.real? && value.to_f.finite? && value.to_f.positive?
    end

    def missing_message
      "#{missing} is missing or empty: give #{missing}: with the other credentials, or set " \
        "#{Environment.variable(missing)} with the others and take all of them by TPS.from_env"
    end
  end

  # Texts as the library takes them: UTF-8 without NUL.
  #
  # @api private
  module Text
    class << self
      # @return [String] a copy in UTF-8 that no other thread can change
      # @raise [InvalidArgumentError] without the text
      def checked(name, value)
        fault = fault(name, value)
        return utf8(value) unless fault

        value = nil # rubocop:disable Lint/UselessAssignment -- error reporters send local variables
        raise InvalidArgumentError, fault
      end

      # @return [String, nil] what is wrong with it
      def fault(name, value)
        string = String.try_convert(value)
        return "#{name} must be a String, not #{value.class}" unless string

        utf8 = utf8(string)
        return "#{name} is not valid #{string.encoding}" unless utf8

        "#{name} contains a NUL character" if utf8.include?("\0")
      end

      # Bytes without an encoding of their own, from a socket or from ENV in the C locale, are taken for UTF-8.
      #
      # @return [String, nil] nil if there is no UTF-8 form
      def utf8(value)
        string = String.try_convert(value)
        bytes = [Encoding::BINARY, Encoding::US_ASCII].include?(string.encoding)
        utf8 = bytes ? String.new(string, encoding: Encoding::UTF_8) : string.encode(Encoding::UTF_8)
        utf8 = String.new(utf8) unless utf8.instance_of?(String) && !utf8.equal?(string)
        utf8.freeze if utf8.valid_encoding?
      rescue EncodingError
        nil
      end
    end
  end
end
