# frozen_string_literal: true

require "json"
require "uri"

module TPS
  module Testing
    # What the library refuses, for fakes, which have no library. Each method returns what is wrong, or nil, and shows
    # no value.
    #
    # @api private
    module Checks
      MILLISECONDS = (1..3_600_000)
      LONGEST_TOKEN = 4096

      OPTIONS = {
        "base_url" => ->(value) { base_url(value) },
        "cache" => ->(value) { cache(value) },
        "timeout_ms" => ->(value) { number("timeout_ms", value, MILLISECONDS) },
        "connect_timeout_ms" => ->(value) { number("connect_timeout_ms", value, MILLISECONDS) },
        "ca_file" => ->(value) { ca_file(value) },
        "proxy" => ->(value) { text("proxy", value) },
        "refresh_ahead" => ->(value) { number("refresh_ahead", value, (0..86_400)) unless value == "auto" },
        "logins_per_day" => ->(value) { number("logins_per_day", value, (0..1_000_000)) },
        "token" => ->(value) { token("option token", value) },
        "lazy" => ->(_) {},
        "user_agent" => ->(value) { text("user_agent", value) }
      }.freeze

      CACHES = %r{\A(?:auto\z|memory\z|file:|rediss?(?:\+sentinel|\+cluster)?://|redis\+unix://)}

      LOOPBACK = /\A(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])\z/i

      class << self
        # @param json [String] as the library gets them
        def options(json)
          JSON.parse(json).each do |name, value|
            check = OPTIONS[name] or return "there is no option #{name}; there are #{OPTIONS.keys.join(", ")}"
            fault = check.call(value)
            return fault if fault
          end
          nil
        end

        def token(name, value)
          return "#{name} must be a String" unless value.is_a?(String)

          fault = token_fault(value)
          "#{name} #{fault}; give the token alone, without the word Token" if fault
        end

        def base_url(value)
          uri = URI(value) if value.is_a?(String)
          return "option base_url must be a URL like https://app.tpstreams.com" unless uri.is_a?(URI::HTTP) && uri.host
          if uri.userinfo || uri.query || uri.fragment
            return "option base_url has user information, a query or a fragment"
          end

          return if uri.scheme == "https" || LOOPBACK.match?(uri.host)

          "option base_url would send the password in clear: use https"
        rescue URI::InvalidURIError
          "option base_url is not a URL; write it like https://app.tpstreams.com"
        end

        private

        def token_fault(text)
          if text.empty? then "is empty"
          elsif text == "null" then "is the word null"
          elsif text.bytesize > LONGEST_TOKEN then "is longer than #{LONGEST_TOKEN} bytes"
          elsif !text.b.match?(/\A[!-~]+\z/n) then "has white space, control characters or letters outside ASCII"
          end
        end

        def text(name, value)
          "option #{name} must be a string" unless value.is_a?(String)
        end

        def cache(value)
          text("cache", value) || ("option cache is not one of the values that exist" unless CACHES.match?(value))
        end

        def ca_file(value)
          text("ca_file", value) || ("option ca_file: there is no such file" unless File.file?(value))
        end

        def number(name, value, range)
          return if value.is_a?(Integer) && range.cover?(value)

          "option #{name} must be a whole number from #{range.min} to #{range.max}"
        end
      end
    end
  end
end
