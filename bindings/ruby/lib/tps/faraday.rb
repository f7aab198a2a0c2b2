# frozen_string_literal: true

require "faraday"
require_relative "../tps"

module TPS # rubocop:disable Style/Documentation -- see tps.rb
  # Middleware for Faraday 1 and 2, see {Client#request} for what it does:
  #
  #   require "tps/faraday"
  #   Faraday.new { |f| f.request :tps, client }
  #
  # It belongs after middleware that follows redirects, so that it sees where each of them leads. Middleware before it,
  # such as a logger, never sees the header. If an answer is streamed (`on_data`) or comes later (`in_parallel`), the
  # token is reported, but the request is not sent again.
  class FaradayMiddleware < Faraday::Middleware
    HEADER = "Authorization"

    # What an answer leaves in the environment.
    ANSWERED = %i[status reason_phrase response response_headers response_body].freeze

    private_constant :HEADER, :ANSWERED

    # @param app [#call]
    # @param client [Client]
    def initialize(app, client)
      super(app)
      @client = client
    end

    # @api private
    def call(env)
      origin = Origin.of(env[:url])
      return call_elsewhere(env, origin) unless origin == @client.account.origin

      env[:parallel_manager] ? call_later(env) : call_now(env)
    end

    private

    def call_elsewhere(env, origin)
      @client.account.events.other_origin(origin)
      @app.call(env)
    end

    def call_now(env)
      headers = env[:request_headers].dup
      body = env[:body]
      sent = SentBody.new(body)
      token = Secret.new(@client.token)
      outcome = attempt(env, token)
      if rejected?(outcome)
        @client.invalidate(token.expose)
        if !env[:request]&.on_data && sent.rewind
          restore(env, headers, body)
          outcome = attempt(env, Secret.new(@client.token))
        end
      end
      outcome.is_a?(Faraday::Error) ? raise(outcome) : outcome
    end

    # Adapters may read the header until the answer is there.
    def call_later(env)
      token = Secret.new(@client.token)
      before = replace(env, "Token #{token.expose}")
      @app.call(env).on_complete do |answer|
        replace(env, before)
        answer = Answer.new(answer[:status], answer[:response_headers], answer[:body])
        @client.invalidate(token.expose) if Rejection.of?(answer)
      end
    end

    # @return [Faraday::Response, Faraday::ClientError] the answer, or what `f.response :raise_error` made of it
    def attempt(env, token)
      before = replace(env, "Token #{token.expose}")
      @app.call(env)
    rescue Faraday::ClientError => e
      e
    ensure
      # The environment is part of the response and of errors, which are printed.
      replace(env, before)
    end

    # @return [String, nil] what the header was
    def replace(env, value)
      headers = env[:request_headers]
      headers[HEADER].tap { value ? headers[HEADER] = value : headers.delete(HEADER) }
    end

    def rejected?(outcome)
      Rejection.of?(outcome.is_a?(Faraday::Error) ? outcome.response : outcome)
    end

    # As it was, since the middleware after it may have added headers and changed the body. While there is a status,
    # Faraday takes the body for the answer's.
    def restore(env, headers, body)
      ANSWERED.each { |member| env[member] = nil }
      env[:request_headers].replace(headers)
      env[:body] = body
    end
  end

  Faraday::Request.register_middleware(tps: FaradayMiddleware)
end
