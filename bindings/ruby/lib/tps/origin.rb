# frozen_string_literal: true

require "uri"

module TPS
  # Scheme, host and port: what decides where a token may be sent.
  #
  # @api private
  Origin = Struct.new(:scheme, :host, :port) do
    # @param url [URI, String, #to_s]
    # @return [Origin, nil] nil if it is not a URL with a host
    def self.of(url)
      uri = URI(url.to_s)
      new(uri.scheme, uri.hostname.downcase, uri.port).freeze if uri.is_a?(URI::HTTP) && uri.hostname
    rescue URI::InvalidURIError
      nil
    end

    # @param http [Net::HTTP]
    # @return [Origin] where its requests go, whatever their own URIs say
    def self.of_session(http)
      new(http.use_ssl? ? "https" : "http", http.address.downcase.delete("[]"), http.port).freeze
    end

    # @return [String] as in a URL
    def to_s
      "#{scheme}://#{host.include?(":") ? "[#{host}]" : host}:#{port}"
    end
  end
end
