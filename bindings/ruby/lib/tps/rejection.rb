# frozen_string_literal: true

require "json"

module TPS
  # Tells an answer that rejects the token from every other 401 or 403. Takes the responses of Net::HTTP, Faraday,
  # HTTParty, Excon, http.rb and whatever looks like them: `status` or `code`, and where they are there `body` and
  # `headers`.
  #
  # @api private
  module Rejection
    # Django REST framework's words for a token that is unknown, revoked or expired. They come with a 403 where another
    # kind of authentication stands first.
    REJECTED = /\AInvalid token\.?\z/i

    # Its other words with a 401: of a header that a proxy has taken away or cut, and of an account that is disabled.
    ABOUT_SOMETHING_ELSE = /\A(?:Authentication credentials were not provided|Invalid token header|User inactive)/i

    # The scheme in `WWW-Authenticate`.
    CHALLENGE = /(?:\A|,)\s*Token\b/i

    class << self
      # Words that are not known, a translation say, count as a rejection where the server asks for a token: the library
      # asks the server before it logs in, so a mistake costs no login.
      def of?(response)
        status = status(response)
        return false unless [401, 403].include?(status)

        detail = detail(response)
        return true if REJECTED.match?(detail)

        status == 401 && !ABOUT_SOMETHING_ELSE.match?(detail) && CHALLENGE.match?(challenge(response))
      end

      private

      def status(response)
        name = %i[status code].find { |it| response.respond_to?(it) } or return
        value = response.public_send(name)
        value.to_i if value.respond_to?(:to_i)
      end

      # @return [String] empty where there is none that can be read without taking it from the caller
      def detail(response)
        body = response.body if response.respond_to?(:body)
        body = parse(body) if body.is_a?(String)
        detail = body["detail"] || body[:detail] if body.is_a?(Hash)
        detail.is_a?(String) ? detail : ""
      end

      def parse(text)
        JSON.parse(text)
      rescue JSON::ParserError, EncodingError
        nil
      end

      # @return [String] what the server asks for; a token, if the response has no headers to look at
      def challenge(response)
        headers = headers(response) or return "Token"
        _, value = headers.find { |name, _| name.to_s.tr("_", "-").casecmp?("www-authenticate") }
        Array(value).join(", ")
      end

      def headers(response)
        name = %i[headers to_hash].find { |it| response.respond_to?(it) } or return
        headers = response.public_send(name)
        headers.to_h if headers.respond_to?(:to_h)
      end
    end
  end
end
