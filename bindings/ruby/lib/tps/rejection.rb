# frozen_string_literal: true

require "json"
require_relative "answer"
require_relative "errors"

module TPS
  # Tells an answer that rejects the token from every other 401 or 403.
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
      #
      # @param response [Object] what {Answer.of} takes, or anything else
      def of?(response)
        answer = response.is_a?(Answer) ? response : Answer.of(response)
        return false unless answer && [401, 403].include?(answer.status)

        detail = detail(answer.body)
        return true if REJECTED.match?(detail)

        answer.status == 401 && !ABOUT_SOMETHING_ELSE.match?(detail) && CHALLENGE.match?(challenge(answer.headers))
      end

      # @param error [Exception] what an HTTP library raised, or {TokenRejected}
      def raised?(error)
        error.is_a?(TokenRejected) || Answer.in(error).any? { |answer| of?(answer) }
      end

      private

      # @return [String] empty where there is none
      def detail(body)
        body = parse(body) unless body.is_a?(Hash)
        detail = body["detail"] || body[:detail] if body.is_a?(Hash)
        detail.is_a?(String) ? detail : ""
      end

      def parse(body)
        text = String.try_convert(body)
        JSON.parse(text) if text
      rescue StandardError
        # Not JSON, or a stream that somebody has begun to read.
        nil
      end

      # @return [String] what the server asks for; a token, if the response has no headers to look at
      def challenge(headers)
        return "Token" unless headers

        _, value = headers.find { |name, _| name.to_s.tr("_", "-").casecmp?("www-authenticate") }
        Array(value).join(", ")
      end
    end
  end
end
