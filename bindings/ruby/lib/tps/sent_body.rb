# frozen_string_literal: true

module TPS
  # A request's body, and the positions of its streams before it was sent: a stream is used up then, and has to be back
  # in its place before the request may be sent again.
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

    # @return [Integer, nil] nil for a stream that cannot tell, a pipe say: what was read of it before is not known
    def position(stream)
      return stream.pos if stream.respond_to?(:pos)

      0 if stream.respond_to?(:rewind) && untouched_form?(stream)
    rescue SystemCallError, IOError
      nil
    end

    # The forms that multipart-post and Faraday put together are streams one after another. They can only go back to
    # their start, and do not tell where they are.
    def untouched_form?(stream)
      parts = stream.instance_variable_get(:@ios)
      parts.is_a?(Array) && stream.instance_variable_get(:@index)&.zero? &&
        parts.all? { |part| position(part)&.zero? }
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
