# frozen_string_literal: true

require_relative "errors"
require_relative "no_proxy"
require_relative "origin"
require_relative "secret"

module TPS
  # How this gem's own requests are sent: by the proxy, the certificates and the time limits of the login. Made once for
  # a client; the certificates alone take 50 ms to read.
  #
  # @api private
  class Connection
    include Redacted

    PROXIES = %w[HTTPS_PROXY https_proxy ALL_PROXY all_proxy].freeze
    EXCEPTIONS = %w[NO_PROXY no_proxy].freeze

    # The environment is read here, as it is for the login.
    #
    # @param settings [Settings]
    def initialize(settings)
      @settings = settings
      option = settings.proxy.expose
      @proxy = Secret.new(option == "none" ? nil : option || variable(PROXIES))
      @no_proxy = NoProxy.new(option ? "" : variable(EXCEPTIONS).to_s)
      @certificates = nil
    end

    # @param uri [URI::HTTP]
    # @return [Net::HTTP] not started
    # @raise [InvalidArgumentError] if Net::HTTP cannot use the proxy
    def to(uri)
      http = Net::HTTP.new(uri.hostname, uri.port, *proxy(uri))
      http.open_timeout = http.ssl_timeout = seconds(@settings.connect_timeout_ms)
      http.read_timeout = http.write_timeout = seconds(@settings.timeout_ms)
      # A request that was sent again would have twice the time.
      http.max_retries = 0
      encrypt(http) if uri.scheme == "https"
      http
    end

    private

    # @return [Array] Net::HTTP's arguments for a proxy
    def proxy(uri)
      # Plain HTTP with a token goes to this machine only. Without one, Net::HTTP decides.
      return Origin.of(uri) == @settings.origin ? [nil] : [:ENV] unless uri.scheme == "https"
      return [nil] if @proxy.expose.nil? || @no_proxy.excepts?(uri.hostname, uri.port)

      arguments(proxy_uri) or raise InvalidArgumentError,
                                    "Net::HTTP can use an http:// proxy only, and this one is another: give request " \
                                    "a session of yours by http:, or use with_token and a library that can"
    end

    # @return [URI, nil]
    def proxy_uri
      url = @proxy.expose
      URI(url.include?("://") ? url : "http://#{url}")
    rescue URI::InvalidURIError
      nil
    end

    def arguments(uri)
      return unless uri.is_a?(URI::HTTP) && uri.scheme == "http"

      [uri.hostname, uri.port, *[uri.user, uri.password].map { |text| text && URI::DEFAULT_PARSER.unescape(text) }]
    end

    def encrypt(http)
      http.use_ssl = true
      http.verify_mode = OpenSSL::SSL::VERIFY_PEER
      http.cert_store = certificates if @settings.ca_file
    end

    # The system's certificates and those of the option `ca_file`.
    def certificates
      @certificates ||= OpenSSL::X509::Store.new.tap do |store|
        store.set_default_paths
        store.add_file(@settings.ca_file)
      end
    end

    def variable(names)
      names.filter_map { |name| ENV.fetch(name, nil) }.find { |value| !value.empty? }
    end

    def seconds(milliseconds)
      milliseconds / 1000.0
    end
  end
end
