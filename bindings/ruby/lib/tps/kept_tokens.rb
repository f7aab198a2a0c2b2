# frozen_string_literal: true

module TPS
  # The tokens that Ruby has seen, so that a token at hand costs no new String.
  #
  # A table for the whole process and not an instance variable: no dump of a client, in whatever format, can show it.
  # It is keyed by the client's address in the library. A stale entry does no harm, since a number is never used again;
  # each operation is a single one on a Hash, so it needs no lock and may run in a finalizer.
  #
  # @api private
  module KeptTokens
    TABLE = {} # rubocop:disable Style/MutableConstant
    private_constant :TABLE

    class << self
      # @return [String, nil] the token with this number, if it is the one kept for the client
      def fetch(address, number)
        kept_number, token = TABLE[address]
        token if kept_number == number
      end

      # @param number [Integer] not 0, which stands for no token
      def keep(address, number, token)
        TABLE[address] = [number, token].freeze
      end

      def forget(address)
        TABLE.delete(address)
      end
    end
  end
end
