# frozen_string_literal: true

require_relative "errors"
require_relative "origin"
require_relative "rejection"
require_relative "replay"
require_relative "secret"
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
      return call_elsewhere(&block) unless own_host?

      sent = Secret.new(@client.token)
      again = false
      response = authorized(sent) do |answer|
        again = report(answer, sent) && @body.rewind
        block&.call(answer) unless again
      end
      again ? authorized(Secret.new(@client.token), &block) : response
    end

    private

    # A session sends to its own host whatever the request says, so both count.
    def own_host?
      (@uri.nil? || Origin.of(@uri) == own) && (@http.nil? || Origin.of_session(@http) == own)
    end

    def own
      @client.account.origin
    end

    def call_elsewhere(&block)
      origins = [@http && Origin.of_session(@http), @uri && Origin.of(@uri)].compact
      @client.account.events.other_origin(origins.find { |origin| origin != own })
      send_once(&block)
    end

    def report(answer, sent)
      return false unless %w[401 403].include?(answer.code)

      Rejection.of?(Replay.read(answer)).tap { |rejected| @client.invalidate(sent.expose) if rejected }
    end

    # The request is as before when it is over: it may be printed, or sent elsewhere.
    def authorized(token, &block)
      before = @request[HEADER]
      @request[HEADER] = "Token #{token.expose}"
      send_once(&block)
    ensure
      @request[HEADER] = before
    end

    def send_once(&block)
      return @http.request(@request, &block) if @http

      @client.account.connection.to(@uri).start { |http| http.request(@request, &block) }
    end

    # Net::HTTP has no method that tells what `set_form` was given, and would send an empty file the second time.
    def form
      @request.instance_variable_get(:@body_data)
    end
  end
end
