# frozen_string_literal: true

module TPS
  # For a Net::HTTPResponse whose body was read to judge it: a caller's block may read it as if nobody had.
  #
  # @api private
  module Replay
    # More is read for nobody: what rejects a token is a line.
    LONGEST = 64 * 1024

    # Reads a short body of an answer that may reject the token.
    #
    # @param response [Net::HTTPResponse]
    # @return [Answer]
    def self.read(response)
      return Answer.new(response.code.to_i, response.to_hash, nil) if response.content_length.to_i > LONGEST

      response.body
      response.extend(self)
      Answer.of(response)
    end

    # (see Net::HTTPResponse#read_body)
    def read_body(destination = nil, &block)
      body = super(nil, &nil)
      return body unless destination || block

      block ? yield(body.to_s) : destination << body.to_s
      destination || body
    end
  end
end
