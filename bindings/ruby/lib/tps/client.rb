# frozen_string_literal: true

require "json"
require_relative "arguments"
require_relative "exchange"
require_relative "kept_tokens"
require_relative "origin"
require_relative "rejection"

module TPS
  # One set of credentials and the token that belongs to them.
  #
  # Any number of threads may use one client at once. Clients with the same credentials share one token, so
  # it does not matter whether a client is kept or made anew.
  class Client
    # What these options are where they are not given.
    DEFAULT_BASE_URL = "https://app.tpstreams.com"
    DEFAULT_TIMEOUT_MS = 15_000

    # How long one wait for a login keeps `Timeout`, `Thread#kill` and Ctrl-C waiting: Ruby acts between two waits.
    SLICE_MS = 50

    private_constant :DEFAULT_BASE_URL, :DEFAULT_TIMEOUT_MS, :SLICE_MS

    # Makes a client that holds a valid token: from memory, else from the store, else by logging in.
    #
    # @param credentials_and_options [Hash] as for {#initialize}
    # @return [Client]
    # @raise [Error] one subclass for each reason
    def self.login(**credentials_and_options)
      new(**credentials_and_options).tap(&:token)
    end

    # Makes a client without any I/O; the first {#token} logs in. nil means not given, and what is not given is read
    # from the environment.
    #
    # @param username [String, nil] an e-mail address; else `TPS_USERNAME`
    # @param password [String, nil] else `TPS_PASSWORD`
    # @param organization_id [String, nil] else `TPS_ORGANIZATION_ID`
    # @param options [Hash]
    # @option options [String] :base_url `https://app.tpstreams.com`; `http://` only to a loopback host; else
    #   `TPS_BASE_URL`
    # @option options [String] :cache `"auto"`: a file that this user's processes share; `"memory"`: this process alone;
    #   `"file:DIR"`: files in that directory; `"redis://…"`, `"rediss://…"` or `"redis+unix://…"`: all hosts; else
    #   `TPS_CACHE`
    # @option options [String] :token a token that you hold already; else `TPS_TOKEN`
    # @option options [String] :ca_file PEM file trusted besides the system's certificates; else `TPS_CA_FILE`
    # @option options [Integer] :timeout_ms milliseconds for a whole call, 15000
    # @option options [Integer] :connect_timeout_ms milliseconds for connecting, TLS included, all addresses together, 3000
    # @option options [String] :proxy a URL (http, https, socks5), or `"none"`; else the usual variables, `HTTPS_PROXY` first
    # @option options [Integer, String] :refresh_ahead how many seconds before its known end a token is renewed while it
    #   serves on; 0: only once it has ended; `"auto"`: up to 120, and less for a short life
    # @option options [Integer] :logins_per_day how many logins may replace tokens before their known end, for all
    #   processes together, 10; 0: no limit
    # @option options [String] :user_agent put before the library's own
    # @raise [InvalidArgumentError] which names the argument or option
    # @raise [LibraryError] if the library cannot be loaded
    def initialize(username: nil, password: nil, organization_id: nil, **options)
      # Here and not above: what needs no library (a fake client in a test) shall not ask for one. Uninterrupted, since
      # neither RubyGems nor a class that is half defined survives a `Timeout` in between.
      Thread.handle_interrupt(Object => :never) { require_relative "native" }

      options = Arguments.options(options)
      credentials = Arguments.credentials(username:, password:, organization_id:)
      @handle = Native.open(*credentials, Arguments.json(options.merge(lazy: true)))
      @address = @handle.address
      @timeout_ms = options.fetch(:timeout_ms, DEFAULT_TIMEOUT_MS)
      @organization_id = credentials.last
      @ca_file = options[:ca_file]
      @origin = Origin.of(options.fetch(:base_url, DEFAULT_BASE_URL))
    end

    # The valid token. One call into the library and no I/O while it is at hand; otherwise this takes the one that is
    # stored, logs in, or waits for the thread or process that is logging in. `Timeout`, `Thread#kill` and Ctrl-C act at
    # once; a login under way goes on and serves the next call.
    #
    # @return [String] frozen UTF-8
    # @raise [Error] one subclass for each reason
    def token
      KeptTokens::TABLE[Native.generation(@address)] || wait_for_token
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
    # @param http [Net::HTTP, nil] a session to send it over, started or not; else one is made for each time it is sent,
    #   with Net::HTTP's own defaults: `http_proxy` and the like count, and so does the option `ca_file`
    # @yield [response] before the body is read, as Net::HTTP does; only the answer that is returned
    # @yieldparam response [Net::HTTPResponse]
    # @return [Net::HTTPResponse]
    # @raise [InvalidArgumentError] if there is no telling where the request goes
    # @raise [Error] as {#token}; what goes wrong with the request itself is raised by Net::HTTP
    def request(request, http: nil, &block)
      Exchange.new(self, request, http).call(&block)
    end

    # The same for any HTTP library: yields the token, and if the server has rejected it another one, once. The block
    # says so by raising {TokenRejected}, or by returning a response with a `status` or `code` of 401 (or of 403, if its
    # body says `Invalid token.`). A 401 that names another reason, missing credentials say, is no rejection.
    #
    #   client.with_token { |token| HTTParty.get(url, headers: { "Authorization" => "Token #{token}" }) }
    #
    # @yieldparam token [String]
    # @return [Object] what the block returned last
    # @raise [TokenRejected] if the block raises it the second time too
    # @raise [Error] as {#token}
    def with_token
      token = self.token
      begin
        outcome = yield token
        return outcome unless Rejection.of?(outcome)
      rescue TokenRejected
        # Reported below, like an answer that says so.
      end
      invalidate(token)
      yield self.token
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
      Native.invalidate(handle, Arguments.text(:token, token))
      nil
    end

    # Revokes the token at the server and forgets it. The client stays usable and would log in anew. An exception from
    # another thread (`Timeout`, `Thread#kill`) acts once the server has answered or `timeout_ms` is over.
    #
    # @return [nil]
    # @raise [Error] one subclass for each reason
    def logout
      Native.logout(handle)
      KeptTokens.forget(@address)
      nil
    end

    # What the library did and holds, without secrets: `:version`, `:base_url`, `:store`, `:token` (a fingerprint),
    # `:hold_off`, and counters since the process began: `:hits`, `:adopted`, `:logins`, `:logins_by_reason` (`:first`,
    # `:ended`, `:renewed`, `:rejected`), `:logins_failed`, `:waits`, `:invalidations`, `:false_alarms` (of these, those
    # that stand after all); `:login_budget_left` says how many logins may follow one another now; `:events` are the
    # last 32, each with `:number`, `:time`, `:kind`, `:reason`, `:duration` (in milliseconds), `:status` and
    # `:message`. Newer libraries may add more.
    #
    # @return [Hash{Symbol => Object}]
    # @raise [Error] one subclass for each reason
    def stats
      JSON.parse(Native.stats(handle), symbolize_names: true)
    end

    # Lets go of the library, which gives back its memory once Ruby collects it and no thread is in a call. The token
    # stays with the process and in the store, for other clients. Nobody has to close a client: collecting it does.
    #
    # @return [nil]
    def close
      @address = 0
      @handle = nil
    end

    # @return [Boolean] whether {#close} was called
    def closed?
      @handle.nil?
    end

    # @return [String] names the organization, no secret
    def inspect
      "#<#{self.class} organization_id=#{@organization_id.inspect}>"
    end
    alias to_s inspect

    # @return [String] {#inspect} as a JSON string, since JSON is written to logs
    def to_json(*arguments)
      inspect.to_json(*arguments)
    end

    # @return [String] {#inspect}, for Active Support
    def as_json(*)
      inspect
    end

    # @raise [TypeError] always: a client belongs to its process
    def marshal_dump
      raise TypeError, "#{self.class} cannot be dumped: make a new one from the credentials where it is needed"
    end

    # @raise [TypeError] always, for YAML
    def encode_with(_coder)
      marshal_dump
    end

    # @api private
    # @return [Origin] of `base_url`
    attr_reader :origin

    # @api private
    # @return [OpenSSL::X509::Store, nil] the system's certificates and those in the option `ca_file`, if there is one
    def certificates
      return unless @ca_file

      OpenSSL::X509::Store.new.tap do |store|
        store.set_default_paths
        store.add_file(@ca_file)
      end
    end

    private

    def handle
      @handle or raise ClosedError, "the client is closed; make a new one"
    end

    def wait_for_token
      deadline = milliseconds + @timeout_ms
      until Native.wait(handle, (deadline - milliseconds).clamp(0, SLICE_MS))
        raise TimeoutError, timeout_message if milliseconds >= deadline
      end
      read_token
    end

    # The number is asked before and after: a token between two different ones may belong to either.
    def read_token
      number = Native.generation(@address)
      token = Native.token(handle)
      KeptTokens.keep(@address, number, token) if number.positive? && number == Native.generation(@address)
      token
    end

    def milliseconds
      Process.clock_gettime(Process::CLOCK_MONOTONIC, :millisecond)
    end

    def timeout_message
      "no token within #{@timeout_ms} ms (timeout_ms); a login under way goes on and serves a later call"
    end
  end
end
