# frozen_string_literal: true

require "json"
require_relative "account"
require_relative "exchange"
require_relative "kept_tokens"
require_relative "network_guard"
require_relative "rejection"
require_relative "waiting"

module TPS
  # One set of credentials and the token that belongs to them.
  #
  # Any number of threads may use one client at once. Clients with the same credentials share one token, so
  # it does not matter whether a client is kept or made anew.
  class Client
    include Redacted

    # Stands for the library's word: no token is at hand.
    NO_WORD = Class.new { def read_uint64 = 0 }.new.freeze
    private_constant :NO_WORD

    # Makes a client that holds a valid token: from memory, else from the store, else by logging in. Takes what
    # {#initialize} takes.
    #
    # @return [Client]
    # @raise [Error] one subclass for each reason
    def self.login(...)
      new(...).tap(&:token)
    end

    # See {TPS.from_env}.
    #
    # @return [Client]
    # @raise [Error] one subclass for each reason
    def self.from_env(lazy: false, **options)
      given = options.keys.map(&:to_sym) & Environment::CREDENTIALS
      unless given.empty?
        options.clear
        raise InvalidArgumentError, "from_env takes all credentials from the environment: #{given.join(", ")} " \
                                    "cannot be given; TPS.login takes all as arguments"
      end

      credentials = Secret.new(Environment.credentials)
      client = new(**options) { credentials.expose }
      client.token unless lazy
      client
    end

    # Makes a client without any I/O; the first {#token} logs in. nil means not given. Credentials are never taken from
    # the environment, see {TPS.from_env}. If one is missing, nil or empty, the first {#token} raises, so that a
    # program boots without them. Anything else that is wrong raises at once.
    #
    # @overload initialize(username:, password:, organization_id:, **options)
    # @overload initialize(**options, &credentials)
    #   @yieldreturn [Hash, nil] credentials and more options, asked for at the first use:
    #     `TPS::Client.new { Rails.application.credentials.tps }`
    # @param given [Hash]
    # @option given [String] :username an e-mail address
    # @option given [String] :password
    # @option given [String] :organization_id
    # @option given [String] :base_url `https://app.tpstreams.com`; `http://` only to a loopback host; else
    #   `TPS_BASE_URL`
    # @option given [String] :cache `"auto"`: a file that this user's processes share; `"memory"`: this process alone;
    #   `"file:DIR"`: files in that directory; `"redis://…"`, `"rediss://…"` or `"redis+unix://…"`: all hosts; else
    #   `TPS_CACHE`
    # @option given [String] :token a token of this account that you hold already
    # @option given [String, Pathname] :ca_file PEM file trusted besides the system's certificates; else `TPS_CA_FILE`
    # @option given [Numeric, ActiveSupport::Duration] :timeout seconds for a whole call, 15
    # @option given [Integer] :timeout_ms the same in milliseconds
    # @option given [Numeric, ActiveSupport::Duration] :connect_timeout seconds for connecting, TLS included, 3
    # @option given [Integer] :connect_timeout_ms the same in milliseconds
    # @option given [String] :proxy a URL (http, https, socks5), or `"none"`; else the usual variables, `HTTPS_PROXY`
    #   first
    # @option given [Integer, String] :refresh_ahead how many seconds before it expires a token is renewed;
    #   0: only once it has expired; `"auto"`: up to 120, and less for a short life
    # @option given [Integer] :logins_per_day how many logins may replace tokens that have not expired, for
    #   all processes together, 10; 0: no limit
    # @option given [String] :user_agent put before the library's own
    # @option given [Logger, false] :logger where events are written; false: nowhere; else {TPS.logger}
    # @raise [InvalidArgumentError] which names the argument or option
    # @raise [LibraryError] if the library cannot be loaded, or from another Ractor than the main one
    def initialize(**given, &credentials)
      @word = NO_WORD
      @account = Account.new(given, &credentials)
      @account.complete? ? open : @account.prepare
    end

    # The valid token. While it is at hand this is one look at the library's memory, or one call into it where the
    # token's expiry is known, and no I/O. Otherwise this takes the one that is stored, logs in, or waits for the thread
    # or process that is logging in. `Timeout`, `Thread#kill` and Ctrl-C act
    # within 50 ms, and under a fiber scheduler other fibers go on; a login under way goes on and serves the next call.
    #
    # @return [String] frozen UTF-8
    # @raise [Error] one subclass for each reason
    def token
      KeptTokens::TABLE[@word ? @word.read_uint64 : Native.generation(@address)]&.token || wait_for_token
    end

    # The value for the header `Authorization`.
    #
    # @return [String] `"Token …"`
    # @raise [Error] as {#token}
    def authorization
      "Token #{token}"
    end

    # Sends a request of Net::HTTP with the header `Authorization`, to the client's own `base_url` only: to any other
    # scheme, host or port it goes as it is. If the server rejects the token, that is reported and the request sent once
    # more with another one, unless it has a body that is read from a stream which cannot go back. Redirects are not
    # followed, and every other answer is handed on, a 401 or 403 for another reason too.
    #
    #   client.request(Net::HTTP::Get.new(URI("https://app.tpstreams.com/api/v1/organizations/")))
    #
    # @param request [Net::HTTPRequest] is left without the header
    # @param http [Net::HTTP, nil] a session to send it over, started or not; nil: one is made for each time it is sent.
    #   It has the login's proxy, certificates and limits: `connect_timeout` for connecting, `timeout` for each read
    # @yield [response] before the body is read, as Net::HTTP does; only the answer that is returned
    # @yieldparam response [Net::HTTPResponse]
    # @return [Net::HTTPResponse]
    # @raise [InvalidArgumentError] if there is no telling where the request goes
    # @raise [Error] as {#token}; what goes wrong with the request itself is raised by Net::HTTP
    def request(request, http: nil, &block)
      Exchange.new(self, request, http).call(&block)
    end

    # The same for any HTTP library: yields the token, and if the server has rejected it another one, once. The block
    # says so by what it returns or raises: a response, or an exception that carries one, with a status of 401 (or of
    # 403, if its body says `Invalid token.`), or {TokenRejected}. A 401 that names another reason, missing
    # credentials say, is no rejection.
    #
    #   client.with_token { |token| HTTParty.get(url, headers: { "Authorization" => "Token #{token}" }) }
    #
    # @yieldparam token [String]
    # @return [Object] what the block returned last
    # @raise [TokenRejected] if the block raises it the second time too
    # @raise [Error] as {#token}
    def with_token
      sent = Secret.new(token)
      begin
        outcome = yield sent.expose
        return outcome unless Rejection.of?(outcome)
      rescue StandardError => e
        raise unless Rejection.raised?(e)
      end
      invalidate(sent.expose)
      yield token
    end

    # Says that the server answered 401 to this very token. Does nothing if the token has been replaced already, so any
    # number of threads may report the same one. Otherwise the next {#token} takes what another process has stored, or
    # asks the server, and logs in if the token is gone indeed; one that the server takes after all stays.
    #
    # @param token [String] the token that was sent
    # @return [nil]
    # @raise [InvalidArgumentError] if it is nil, empty or no String
    # @raise [Error] one subclass for each reason
    def invalidate(token)
      open.invalidate(Text.checked(:token, token))
      nil
    end

    # Revokes the token at the server and forgets it. The client stays usable and would log in anew. `Timeout`,
    # `Thread#kill` and Ctrl-C act within 50 ms; the logout goes on, and another call waits for it further.
    #
    # @return [nil]
    # @raise [Error] one subclass for each reason
    def logout
      handle = guarded
      watched do
        done = Waiting.until_done(settings.timeout_ms) { |time| handle.logout(time) }
        raise TimeoutError, "not logged out within #{settings.timeout_ms} ms (timeout); it goes on" unless done
      end
      KeptTokens.forget(handle.address)
      nil
    end

    # What the library did and holds, without secrets. Newer libraries may add more.
    #
    # - `:version`, `:base_url`, `:store`, `:token` (a fingerprint), `:hold_off`
    # - counters since the process began: `:hits`, `:adopted`, `:logins`, `:logins_by_reason` (`:first`, `:ended`,
    #   `:renewed`, `:rejected`), `:logins_failed`, `:waits`, `:invalidations`
    # - `:false_alarms`: tokens that were reported as rejected, and that the server still accepts
    # - `:login_budget_left`: how many logins may follow one another now
    # - `:events`: the last 32, each with `:number`, `:time`, `:kind`, `:reason`, `:duration` (in milliseconds),
    #   `:status` and `:message`
    #
    # @return [Hash{Symbol => Object}]
    # @raise [Error] one subclass for each reason
    def stats
      JSON.parse(open.stats, symbolize_names: true)
    end

    # Lets go of the library, which gives back its memory once Ruby collects it and no thread is in a call. The token
    # stays with the process and in the store, for other clients. Nobody has to close a client: collecting it does.
    #
    # @return [nil]
    def close
      @closed = true
      @word = NO_WORD
      @account&.close
      nil
    end

    # @return [Boolean] whether {#close} was called
    def closed?
      @closed == true
    end

    # @return [String] names the organization, no secret
    def inspect
      "#<#{self.class} organization_id=#{@account&.organization_id.inspect}>"
    end

    # @api private
    # @return [Account]
    attr_reader :account

    private

    # A copy is closed for itself.
    def initialize_copy(original)
      super
      @word = NO_WORD
      @account = @account.dup
    end

    # What is handed to a Ractor is cloned by Ruby itself.
    def initialize_clone(original, **)
      Account.refuse_ractors if caller_locations(1, 2).any? { |frame| frame.path == "<internal:ractor>" }
      super
    end

    # @return [Native::Handle, Testing::Script]
    def open
      raise ClosedError, "the client is closed; make a new one" if @closed || @account.nil?

      @account.open
    end

    # For what may send something.
    def guarded
      open.tap { |handle| NetworkGuard.check(settings.base_url) if handle.address }
    end

    def settings
      @account.settings
    end

    def wait_for_token
      guarded
      watched do
        done = Waiting.until_done(settings.timeout_ms) { |time| open.wait(time) }
        done ? read_token : raise(TimeoutError, timeout_message)
      end
    end

    # Passes events on afterwards, whatever came of it.
    def watched
      outcome = yield
    rescue Error
      pass_on_events
      raise
    else
      pass_on_events
      outcome
    end

    def pass_on_events
      @account.events.pass_on { stats.fetch(:events, []) } unless @closed
    end

    # The number is asked before and after: a token between two different ones may belong to either.
    def read_token
      handle = open
      number = handle.generation
      token = handle.token
      keep(handle, number, token) if number.positive? && number == handle.generation
      token
    end

    # Where a clock is needed to tell whether the token still serves, the word does not tell it.
    def keep(handle, number, token)
      KeptTokens.keep(handle.address, number, token)
      @address = handle.address
      @word = (handle.word if handle.word.read_uint64 == number)
    end

    def timeout_message
      "no token within #{settings.timeout_ms} ms (timeout); a login under way goes on and serves a later call"
    end
  end
end
