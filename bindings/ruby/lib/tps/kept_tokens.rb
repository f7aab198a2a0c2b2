# frozen_string_literal: true

require_relative "secret"

module TPS
  # The tokens that Ruby has seen, by the library's numbers for them, so that a token at hand costs no new String.
  #
  # A table for the whole process and not an instance variable: no dump of a client can show it. A number is never used
  # again, so an entry is either right or never asked for. Each operation is a single one on a Hash, so it needs no lock
  # and may run in a finalizer.
  #
  # @api private
  module KeptTokens
    # Shows nothing of its token. A reader is several times faster than a closure, and a plain Hash than one that hides.
    class Kept
      include Redacted

      # @return [String]
      attr_reader :token

      def initialize(token)
        @token = token
      end
    end

    # 0 stands for no token, and is never in it.
    TABLE = {} # rubocop:disable Style/MutableConstant

    # The number that each client, by its address in the library, has put there.
    NUMBERS = {} # rubocop:disable Style/MutableConstant
    private_constant :NUMBERS

    class << self
      def keep(address, number, token)
        TABLE[number] = Kept.new(token)
        before = NUMBERS[address]
        NUMBERS[address] = number
        # Another client of that token may still want it: it will ask for the token once more, no harm done.
        TABLE.delete(before) unless before == number
      end

      def forget(address)
        TABLE.delete(NUMBERS.delete(address))
      end

      def clear
        TABLE.clear
        NUMBERS.clear
      end
    end
  end
end
