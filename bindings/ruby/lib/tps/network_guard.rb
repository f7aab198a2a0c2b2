# frozen_string_literal: true

require_relative "errors"

module TPS
  # WebMock and VCR do not see what the library sends. Where they forbid a connection to the server, nothing shall
  # be sent all the same: a test that logs in uses up tokens of a real organization.
  #
  # @api private
  module NetworkGuard
    class << self
      # Looks only where a token is not at hand.
      #
      # @param url [String]
      # @raise [NetworkError] if a library for tests is loaded and forbids it
      def check(url)
        name = ("WebMock" if webmock_forbids?(url)) || ("VCR" if vcr_forbids?) or return

        raise NetworkError, "#{name} forbids connections to #{url}, and the library would connect: " \
                            "call TPS::Testing.fake! in the test's set-up, or allow this host"
      end

      private

      def webmock_forbids?(url)
        return false unless defined?(::WebMock::HttpLibAdapters::NetHttpAdapter::OriginalNetHTTP)

        enabled = !Net::HTTP.equal?(::WebMock::HttpLibAdapters::NetHttpAdapter::OriginalNetHTTP)
        enabled && !::WebMock.net_connect_allowed?(url)
      end

      def vcr_forbids?
        defined?(::VCR) && ::VCR.respond_to?(:turned_on?) && ::VCR.turned_on? && !::VCR.real_http_connections_allowed?
      end
    end
  end
end
