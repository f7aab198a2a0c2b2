# frozen_string_literal: true

module TPS
  # What the HTTP libraries' responses share, wherever they put it. Those of Net::HTTP, Faraday, Excon,
  # RestClient, HTTParty, http.rb, Typhoeus, HTTPClient, open-uri, httpx, Rack, and whatever looks like them.
  #
  # @api private
  Answer = Struct.new(:status, :headers, :body) do
    class << self
      # @param response [Object]
      # @return [Answer, nil] nil if it is no response
      def of(response)
        case response
        when Array then return from_rack(response)
        when Hash then return from_hash(response)
        end
        status = status(response) or return
        new(status, headers(response), body(response))
      end

      # @param error [Exception]
      # @return [Array<Answer>] those that it or its causes carry
      def in(error)
        causes(error).filter_map { |cause| carried(cause) }
      end

      private

      MEMBERS = %i[response res io page].freeze
      DEPTH = 5
      private_constant :MEMBERS, :DEPTH

      def causes(error)
        causes = [error]
        causes << causes.last.cause while causes.last.cause && causes.size < DEPTH
        causes
      end

      # An exception of RestClient's may have no response and its status alone.
      def carried(error)
        MEMBERS.each do |name|
          answer = Answer.of(error.public_send(name)) if error.respond_to?(name)
          return answer if answer
        end
        new(error.http_code.to_i, nil, nil) if error.respond_to?(:http_code) && error.http_code
      rescue StandardError
        # Something else by that name: the error of the block is what counts.
        nil
      end

      def from_rack(array)
        status, headers, body = array
        return unless array.size == 3 && status.is_a?(Integer) && headers.respond_to?(:to_h)

        new(status, headers.to_h, body.is_a?(Array) ? body.join : body)
      end

      # As Faraday's exceptions have it.
      def from_hash(hash)
        status, headers, body = %i[status headers body].map { |name| hash[name] || hash[name.to_s] }
        new(status.to_i, headers, body) if status.respond_to?(:to_i) && (headers || body)
      end

      # open-uri has a list of number and words.
      def status(response)
        name = %i[status code].find { |it| response.respond_to?(it) } or return
        value = response.public_send(name)
        value = value.first if value.is_a?(Array)
        value.to_i if value.respond_to?(:to_i)
      end

      def headers(response)
        name = %i[headers meta to_hash].find { |it| response.respond_to?(it) } or return
        headers = response.public_send(name)
        headers.to_h if headers.respond_to?(:to_h)
      end

      # Only what can be read without taking it from the caller.
      def body(response)
        return response.body if response.respond_to?(:body)

        response.string if response.respond_to?(:string)
      end
    end
  end
end
