# frozen_string_literal: true

module TPS
  # For objects that hold or lead to a secret: they show nothing of it, and cannot be dumped.
  #
  # @api private
  module Redacted
    # @return [String] without secrets
    def inspect
      "#<#{self.class} [redacted]>"
    end

    # @return [String] {#inspect}
    def to_s
      inspect
    end

    # @return [void]
    def pretty_print(printer)
      printer.text(inspect)
    end

    # @return [String] {#inspect} as a JSON string, since JSON is written to logs
    def to_json(*arguments)
      inspect.to_json(*arguments)
    end

    # @return [String] {#inspect}, for Active Support
    def as_json(*)
      inspect
    end

    # @raise [TypeError] always
    def marshal_dump
      raise TypeError, "#{self.class} cannot be dumped: make a new one from the credentials where it is needed"
    end

    # @raise [TypeError] always, for YAML
    def encode_with(_coder)
      marshal_dump
    end
  end

  # A text that no inspect, dump or list of a frame's variables shows: it is in a closure.
  #
  # @api private
  class Secret
    include Redacted

    # @param value [Object]
    def initialize(value)
      @value = -> { value }
    end

    # @return [Object]
    def expose
      @value.call
    end
  end
end
