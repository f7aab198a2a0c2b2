# frozen_string_literal: true

require "pathname"
require "test_helper"

# Nothing is sent, whatever is wrong with an argument.
class ArgumentTest < TPSTest
  CREDENTIALS = Faults::CREDENTIALS

  def setup
    super
    @faults = Faults.new("ok")
  end

  def teardown
    assert_equal 0, @faults.logins
    super
  end

  %i[username password organization_id].each do |name|
    [nil, ""].each do |nothing|
      define_method(:"test_#{name}_is_#{nothing.inspect}") { assert_missing(name, @faults.login(name => nothing)) }
    end

    define_method(:"test_#{name}_is_not_given") { assert_missing(name, @faults.login.except(name)) }

    define_method(:"test_#{name}_empty_in_the_environment") do
      ENV.update(CREDENTIALS.transform_keys { |key| "TPS_#{key.upcase}" })
      ENV["TPS_#{name.upcase}"] = ""
      [-> { TPS.from_env }, -> { TPS.from_env(lazy: true).token }].each do |call|
        error = assert_error(TPS::InvalidArgumentError, :invalid_argument, secrets: CREDENTIALS[:password], &call)
        assert_match(/\bTPS_#{name.upcase}\b/, error.message)
      end
    end

    define_method(:"test_#{name}_no_string") { assert_invalid(/\b#{name}\b.*Integer/, name => 7) }
    define_method(:"test_#{name}_symbol") { assert_invalid(/\b#{name}\b.*Symbol/, name => :hari) }
    define_method(:"test_#{name}_nul") { assert_invalid(/\b#{name}\b.*NUL/, name => "s3cr\0et") }
    define_method(:"test_#{name}_invalid_utf8") { assert_invalid(/\b#{name}\b.*UTF-8/, name => "s3cr\xFFet") }
    define_method(:"test_#{name}_invalid_bytes") { assert_invalid(/\b#{name}\b/, name => "s3cr\xFFet".b) }

    define_method(:"test_#{name}_without_a_utf8_form") do
      assert_invalid(/\b#{name}\b/, name => "s3cr\xD8\x00et".dup.force_encoding("UTF-16BE"))
    end
  end

  def test_from_env_names_the_variable
    error = assert_error(TPS::InvalidArgumentError, :invalid_argument) { TPS.from_env }
    assert_match(/\bTPS_USERNAME\b/, error.message)
  end

  def test_unknown_option
    assert_invalid(/\bcolour\b.*\bbase_url\b/, colour: "red")
  end

  def test_ill_typed_option
    assert_invalid(/\btimeout_ms\b/, timeout_ms: "soon")
    assert_invalid(/\btimeout_ms\b/, timeout_ms: -1)
    assert_invalid(/\bproxy\b/, proxy: 7)
    assert_invalid(/\bbase_url\b/, base_url: [])
  end

  def test_times_in_seconds
    [0, -1, "5", :soon, Float::NAN, Float::INFINITY, 1i, 3601].each do |wrong|
      assert_invalid(/\btimeout\b|\btimeout_ms\b/, timeout: wrong)
      assert_invalid(/\bconnect_timeout\b|\bconnect_timeout_ms\b/, connect_timeout: wrong)
    end
    assert_invalid(/\btimeout\b.*\btimeout_ms\b/, timeout: 1, timeout_ms: 1000)
  end

  def test_a_logger_that_is_none
    assert_invalid(/\blogger\b.*Integer/, logger: 7)
    assert_error(TPS::InvalidArgumentError, :invalid_argument) { TPS.logger = "log/development.log" }
  end

  def test_lazy_is_no_option
    assert_invalid(/\blazy\b.*TPS::Client\.new/, lazy: true)
  end

  def test_option_that_is_no_text
    assert_invalid(/\btoken\b.*NUL/, token: "s3cr\0et")
    assert_invalid(/\btoken\b.*UTF-8/, token: "s3cr\xFFet")
    assert_invalid(/\bca_file\b.*NUL/, ca_file: "s3cr\0et")
    assert_invalid(/JSON/, timeout_ms: Float::NAN)
  end

  def test_base_url
    assert_invalid(/\bbase_url\b/, base_url: "http://app.tpstreams.com")
    assert_invalid(/\bbase_url\b/, base_url: "https://hari:s3cr@app.tpstreams.com")
    assert_invalid(/\bbase_url\b/, base_url: "app.tpstreams.com")
  end

  def test_cache
    assert_invalid(/\bcache\b/, cache: "s3cr")
    ENV["TPS_CACHE"] = "s3cr"
    assert_invalid(/\bcache\b/, cache: nil)
  end

  def test_invalidate
    client = TPS::Client.new(**@faults.login)
    ["", nil, 7, "s3cr\0et", "s3cr\xFFet"].each do |token|
      error = assert_error(TPS::InvalidArgumentError, :invalid_argument, secrets: "s3cr") { client.invalidate(token) }
      assert_match(/\btoken\b/, error.message)
    end
  end

  def test_a_client_that_was_never_made
    assert_error(TPS::ClosedError, :closed) { TPS::Client.allocate.logout }
  end

  private

  # At once in `login`, at the first use of a lazy client: a program boots without its credentials.
  def assert_missing(name, login)
    client = TPS::Client.new(**login)
    calls = [-> { TPS.login(**login) }, -> { client.token }, -> { client.stats }, -> { client.logout },
             -> { client.request(Net::HTTP::Get.new(@faults.uri)) }, -> { client.with_token { flunk } }]
    calls.each do |call|
      error = assert_error(TPS::InvalidArgumentError, :invalid_argument, secrets: CREDENTIALS[:password], &call)
      assert_match(/\b#{name}\b.*\bTPS_#{name.upcase}\b.*\bTPS\.from_env\b/, error.message)
    end
  end

  def assert_invalid(message, **wrong)
    [TPS::Client.method(:new), TPS.method(:login)].each do |make|
      error = assert_error(TPS::InvalidArgumentError, :invalid_argument,
                           secrets: ["s3cr", *Faults::CREDENTIALS[:password]]) do
        make.call(**@faults.login(**wrong))
      end
      assert_match message, error.message
      assert_nil error.http_status
      assert_nil error.cause
      assert_in_delta 0.0, error.retry_after
    end
  end
end

# Arguments that look odd and are right.
class OddArgumentTest < TPSTest
  PASSWORD = "pä\u{1F511}ßword"

  def setup
    super
    @organization = Organization.new(password: PASSWORD)
  end

  def test_other_encodings
    [PASSWORD.encode("UTF-16LE"), PASSWORD.b, PASSWORD.dup.force_encoding("US-ASCII")].each do |password|
      TPS.login(**@organization.login(password:))
    end
    assert_equal 1, @organization.logins
  end

  # Numbers of seconds, and what Active Support makes of `5.seconds`.
  def test_seconds
    { 5 => 5000, 2.5 => 2500, 0.0004 => 1, 3r => 3000 }.each do |timeout, milliseconds|
      client = TPS::Client.new(**@organization.login(timeout:, connect_timeout: timeout))
      settings = client.account.settings
      assert_equal [milliseconds] * 2, [settings.timeout_ms, settings.connect_timeout_ms]
    end
    script = <<~RUBY
      require "active_support"
      require "active_support/core_ext/integer/time"
      print TPS::Client.new(**#{@organization.login}, timeout: 2.minutes).account.settings.timeout_ms
    RUBY
    assert_equal "120000", Open3.capture3(RbConfig.ruby, "-W0", "-I#{LIB}", "-rtps", "-e", script).first
  end

  def test_what_behaves_like_a_string
    subclass = Class.new(String)
    like = Class.new { def to_str = PASSWORD }
    [subclass.new(PASSWORD), like.new].each { |password| TPS.login(**@organization.login(password:)) }
    assert_equal 1, @organization.logins
  end

  def test_options_as_ruby_has_them
    TPS.login(**@organization.login(cache: :memory, proxy: nil, "timeout_ms" => 9000))
    assert_equal 1, @organization.logins
  end

  def test_a_path
    error = assert_raises(TPS::Error) { TPS.login(**@organization.login(ca_file: Pathname("/nonexistent/ca.pem"))) }
    assert_match(/ca_file|nonexistent/, error.message)
  end

  def test_arguments_are_left_alone
    password = PASSWORD.b
    TPS.login(**@organization.login(password:))
    assert_equal [PASSWORD.b, Encoding::BINARY], [password, password.encoding]
  end
end
