# frozen_string_literal: true

module TPS
  # A request's body, and where its streams stood before it was sent: a stream is used up then, and has to be back in
  # its place before the request may be sent again.
  #
  # @api private
  class SentBody
    # @param body [Object] text, a stream, or lists and hashes of them, as forms are
    def initialize(body)
      @streams = streams(body).map { |stream| [stream, position(stream)] }
    end

    # @return [Boolean] whether the whole body can be sent again
    def rewind
      @streams.all? { |stream, position| move(stream, position) }
    end

    private

    def streams(body)
      case body
      when Hash then streams(body.values)
      when Array then body.flat_map { |part| streams(part) }
      else body.respond_to?(:read) || body.respond_to?(:each) ? [body] : []
      end
    end

    # @return [Integer, nil] nil for a stream that cannot tell, a pipe say
    def position(stream)
      return stream.pos if stream.respond_to?(:pos)

      # The bodies that multipart libraries put together are at their start and can only go back there.
      0 if stream.respond_to?(:rewind)
    rescue SystemCallError, IOError
      nil
    end

    def move(stream, position)
      return false unless position

      if position.zero? && stream.respond_to?(:rewind)
        stream.rewind
      else
        stream.seek(position)
      end
      true
    rescue NoMethodError, SystemCallError, IOError
      false
    end
  end
end
