# frozen_string_literal: true

require_relative "errors"
require_relative "origin"
require_relative "rejection"
require_relative "sent_body"

module TPS
  # A request of Net::HTTP and its answer, see {Client#request}.
  #
  # @api private
  class Exchange
    HEADER = "Authorization"

    # @param client [Client]
    # @param request [Net::HTTPRequest]
    # @param http [Net::HTTP, nil] a session of the caller's
    # @raise [InvalidArgumentError] if it is not clear where the request goes
    def initialize(client, request, http)
      unless request.respond_to?(:body_stream) && (request.uri || http)
        raise InvalidArgumentError, "request must be one of Net::HTTP, made from a URI unless http: is given"
      end

      @client = client
      @request = request
      @http = http
      # Net::HTTP changes it while it sends.
      @uri = request.uri.dup
      @body = SentBody.new([request.body_stream, form])
    end

    # @yield [Net::HTTPResponse] the one that is returned, before its body is read
    # @return [Net::HTTPResponse]
    def call(&block)
      return send_once(&block) unless own_host?

      token = @client.token
      again = false
      response = authorized(token) do |answer|
        again = report(answer, token) && @body.rewind
        block&.call(answer) unless again
      end
      again ? authorized(@client.token, &block) : response
    end

    private

    # A session sends to its own host whatever the request says, so both count.
    def own_host?
      (@uri.nil? || Origin.of(@uri) == @client.origin) && (@http.nil? || Origin.of_session(@http) == @client.origin)
    end

    def report(answer, token)
      Rejection.of?(answer).tap { |rejected| @client.invalidate(token) if rejected }
    end

    # The request is as before when it is over: it may be printed, or sent elsewhere.
    def authorized(token, &block)
      before = @request[HEADER]
      @request[HEADER] = "Token #{token}"
      send_once(&block)
    ensure
      @request[HEADER] = before
    end

    def send_once(&block)
      return @http.request(@request, &block) if @http

      options = @uri.scheme == "https" ? tls : {}
      Net::HTTP.start(@uri.hostname, @uri.port, options) { |http| http.request(@request, &block) }
    end

    def tls
      { use_ssl: true, verify_mode: OpenSSL::SSL::VERIFY_PEER, cert_store: @client.certificates }
    end

    # Net::HTTP has no method that tells what `set_form` was given, and would send an empty file the second time.
    def form
      @request.instance_variable_get(:@body_data)
    end
  end
end
