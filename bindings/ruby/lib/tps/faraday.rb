# frozen_string_literal: true

require "faraday"
require_relative "../tps"

module TPS
  # Middleware for Faraday 1 and 2, see {Client#request} for what it does:
  #
  #   require "tps/faraday"
  #   Faraday.new { |f| f.request :tps, client }
  #
  # It belongs after what follows redirects, so that it sees where each of them leads. What stands before it, a logger say,
  # never sees the header. An answer that is streamed (`on_data`) or comes later (`in_parallel`) is not asked for again.
  class FaradayMiddleware < Faraday::Middleware
    HEADER = "Authorization"

    # What `f.response :raise_error` says of an answer.
    Answer = Struct.new(:status, :headers, :body)

    private_constant :HEADER, :Answer

    # @param app [#call]
    # @param client [Client]
    def initialize(app, client)
      super(app)
      @client = client
    end

    # @api private
    def call(env)
      return @app.call(env) unless Origin.of(env[:url]) == @client.origin

      call_authorized(env)
    end

    private

    def call_authorized(env)
      headers = env[:request_headers].dup
      body = env[:body]
      sent = SentBody.new(body)
      token = @client.token
      response, error = attempt(env, token)
      if rejected?(response, error)
        @client.invalidate(token)
        if repeatable?(env, sent)
          restore(env, headers, body)
          response, error = attempt(env, @client.token)
        end
      end
      error ? raise(error) : response
    end

    # @return [Array(Faraday::Response, nil), Array(nil, Faraday::ClientError)]
    def attempt(env, token)
      headers = env[:request_headers]
      before = headers[HEADER]
      headers[HEADER] = "Token #{token}"
      [@app.call(env), nil]
    rescue Faraday::ClientError => e
      [nil, e]
    ensure
      # The environment is part of the response and of errors, which are printed.
      before ? headers[HEADER] = before : headers.delete(HEADER)
    end

    def rejected?(response, error)
      answer = error ? error.response : response
      answer = Answer.new(*answer.values_at(:status, :headers, :body)) if answer.is_a?(Hash)
      Rejection.of?(answer)
    end

    def repeatable?(env, sent)
      !env[:request]&.on_data && sent.rewind
    end

    # As it was, since what stands behind may have added headers and changed the body. While there is a status, Faraday takes
    # the body for the answer's.
    def restore(env, headers, body)
      env[:request_headers].replace(headers)
      env[:status] = nil
      env[:response_body] = nil
      env[:body] = body
    end
  end

  Faraday::Request.register_middleware(tps: FaradayMiddleware)
end
