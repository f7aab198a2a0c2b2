# frozen_string_literal: true

module TPS
  # Everything this library raises. The message is one line and holds no secret.
  class Error < StandardError
    # What kind of fault it is. A library newer than this gem may report a kind that has no class here: `:unknown`.
    STATUS = :unknown

    # @return [Integer, nil] the HTTP status of the answer that caused it, nil where there was none
    attr_reader :http_status

    # @return [Float] seconds for which nothing will be sent; 0.0: a call may try at once
    attr_reader :retry_after

    # @param message [String, nil]
    # @param http_status [Integer, nil]
    # @param retry_after [Float] seconds
    def initialize(message = nil, http_status: nil, retry_after: 0.0)
      super(message)
      @http_status = http_status
      @retry_after = retry_after
    end

    # @return [Symbol] the same for every error of a class, for example `:credentials`
    def status
      self.class::STATUS
    end
  end

  # An argument or option is missing, empty, unknown or of the wrong type; the message names it. Nothing was sent.
  class InvalidArgumentError < Error
    # What {Error#status} returns.
    STATUS = :invalid_argument
  end

  # The server refused username, password or organization.
  class CredentialsError < Error
    # What {Error#status} returns.
    STATUS = :credentials
  end

  # The organization holds as many tokens as it may.
  class TokenLimitError < Error
    # What {Error#status} returns.
    STATUS = :token_limit
  end

  # The server asks to wait; see {#retry_after}.
  class ThrottledError < Error
    # What {Error#status} returns.
    STATUS = :throttled
  end

  # The server could not be reached: name resolution, connection, proxy.
  class NetworkError < Error
    # What {Error#status} returns.
    STATUS = :network
  end

  # The server's certificate is not trusted, or TLS failed otherwise.
  class TLSError < Error
    # What {Error#status} returns.
    STATUS = :tls
  end

  # The time was over first (option `timeout`).
  class TimeoutError < Error
    # What {Error#status} returns.
    STATUS = :timeout
  end

  # The server answered with a status of 500 or more.
  class ServerError < Error
    # What {Error#status} returns.
    STATUS = :server
  end

  # The server answered something else than it promises: a redirect, no JSON, another 4xx.
  class UnexpectedResponseError < Error
    # What {Error#status} returns.
    STATUS = :unexpected_response
  end

  # The login was sent and its answer was lost: a token may have been made.
  class OutcomeUnknownError < Error
    # What {Error#status} returns.
    STATUS = :outcome_unknown
  end

  # Too many logins already; see the option `logins_per_day` and {#retry_after}.
  class LoginBudgetError < Error
    # What {Error#status} returns.
    STATUS = :login_budget
  end

  # A bug in the library.
  class InternalError < Error
    # What {Error#status} returns.
    STATUS = :internal
  end

  # For the block of {Client#with_token} to raise: the server has rejected the token that the block was given.
  class TokenRejected < Error
    # What {Error#status} returns.
    STATUS = :token_rejected
  end

  # The client was closed, see {Client#close}.
  class ClosedError < Error
    # What {Error#status} returns.
    STATUS = :closed
  end

  # The library libtps cannot be found, loaded or used here; the message says what to do.
  class LibraryError < Error
    # What {Error#status} returns.
    STATUS = :library
  end

  class Error # rubocop:disable Style/Documentation -- see above
    # The numbers of enum tps_status.
    NUMBERS = {
      1 => InvalidArgumentError, 2 => CredentialsError, 3 => TokenLimitError, 4 => ThrottledError,
      5 => NetworkError, 6 => TLSError, 7 => TimeoutError, 8 => ServerError, 9 => UnexpectedResponseError,
      10 => OutcomeUnknownError, 11 => LoginBudgetError, 12 => InternalError
    }.freeze
    private_constant :NUMBERS

    # @api private
    # @param number [Integer] the library's
    # @return [Class]
    def self.class_for(number)
      NUMBERS.fetch(number, Error)
    end
  end
end
