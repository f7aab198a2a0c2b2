# frozen_string_literal: true

require_relative "origin"
require_relative "secret"

module TPS
  # What of the options counts in Ruby too: where the token goes, and how this gem's own requests are sent.
  #
  # @api private
  class Settings
    # What these options are where they are not given.
    DEFAULT_BASE_URL = "https://app.tpstreams.com"
    DEFAULT_TIMEOUT_MS = 15_000
    DEFAULT_CONNECT_TIMEOUT_MS = 3_000

    # @return [String]
    attr_reader :base_url, :cache
    # @return [String, nil]
    attr_reader :organization_id, :ca_file
    # @return [Integer]
    attr_reader :timeout_ms, :connect_timeout_ms
    # @return [Secret] of the option, a String or nil: its URL may hold a password
    attr_reader :proxy

    # @param options [Hash{Symbol => Object}]
    # @param organization_id [String, nil]
    def initialize(options = {}, organization_id = nil)
      @organization_id = organization_id
      @base_url = options.fetch(:base_url, DEFAULT_BASE_URL)
      @cache = options.fetch(:cache, "auto").to_s
      @ca_file = options[:ca_file]
      @timeout_ms = options.fetch(:timeout_ms, DEFAULT_TIMEOUT_MS)
      @connect_timeout_ms = options.fetch(:connect_timeout_ms, DEFAULT_CONNECT_TIMEOUT_MS)
      @proxy = Secret.new(options[:proxy])
    end

    # @return [Origin, nil] of `base_url`
    def origin
      @origin ||= Origin.of(base_url)
    end
  end
end
