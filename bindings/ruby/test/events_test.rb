# frozen_string_literal: true

require "logger"
require "stringio"
require "test_helper"

# What the library tells, in a Logger and by ActiveSupport::Notifications.
class EventsTest < TPSTest
  def setup
    super
    @organization = Organization.new
    @log = StringIO.new
    @logger = Logger.new(@log)
  end

  def teardown
    TPS.logger = nil
    super
  end

  def test_a_life_in_a_log
    client = TPS.login(**@organization.login(logger: @logger))
    token = client.token
    @organization.revoke
    client.invalidate(token)
    second = client.token
    client.logout

    assert_equal %w[login rejected login logout], kinds
    assert_equal %w[INFO WARN INFO INFO], @log.string.scan(/^\w, \[.*?\]\s+(\w+)/).flatten
    assert_match(/organization=#{@organization.id}, reason=first, \d+ ms/, @log.string)
    assert_match(/reason=rejected/, @log.string)
    assert_secret [token, second, @organization.password], @log.string
  end

  def test_a_failure
    client = TPS::Client.new(**@organization.login(password: "wrong", logger: @logger))
    2.times { assert_raises(TPS::CredentialsError) { client.token } }

    assert_equal %w[hold_off], kinds
    assert_match(/WARN.*TPS: hold_off \(organization=#{@organization.id}, status=credentials.*\): .*credentials/,
                 @log.string)
  end

  # A hit looks at nothing.
  def test_a_token_at_hand_costs_no_look
    client = TPS.login(**@organization.login(logger: @logger))
    looks = 0
    trace = TracePoint.new(:call) { |call| looks += 1 if %i[stats pass_on].include?(call.method_id) }
    trace.enable { 1000.times { client.token } }

    assert_equal 0, looks
  end

  def test_each_event_is_told_once_in_a_process
    others = Array.new(5) { TPS::Client.new(**@organization.login(logger: @logger)) }
    others.map { |client| Thread.new { client.token } }.each(&:join)
    TPS.login(**@organization.login(logger: @logger, timeout: 9)).token

    assert_equal %w[login], kinds
  end

  # What was told before the library had the account does not mix up two.
  def test_two_accounts_after_requests_elsewhere
    clients = [@organization, Organization.new].map { |it| TPS::Client.new(logger: @logger) { it.login(logger: nil) } }
    elsewhere = URI(Faults::SERVER).tap { |uri| uri.path = "/ok/elsewhere/" }
    clients.each { |client| client.request(Net::HTTP::Get.new(elsewhere)) }
    clients.first.tap(&:token).tap(&:logout).token
    clients.each(&:token)

    assert_equal %w[login logout login login], kinds
  end

  def test_the_logger_of_the_package
    TPS.logger = @logger
    TPS.login(**@organization.login)
    TPS.login(**Organization.new.login(logger: false))

    assert_equal %w[login], kinds
  end

  def test_without_any
    script = <<~RUBY
      client = TPS.login(**#{@organization.login})
      looks = 0
      trace = TracePoint.new(:call) { |call| looks += 1 if call.method_id == :stats }
      trace.enable { client.logout && client.token }
      print looks
    RUBY
    assert_equal ["0", ""], ruby(script).first(2)
  end

  # A log that fails is not the caller's fault.
  def test_a_logger_that_fails
    @logger.define_singleton_method(:info) { |*| raise IOError, "closed stream" }
    _, errors = capture_io { assert_match(/\A\h{64}\z/, TPS.login(**@organization.login(logger: @logger)).token) }

    assert_match(/an event could not be passed on: IOError/, errors)
  end

  def test_a_subscriber_that_asks_for_a_token
    client = TPS::Client.new(**@organization.login(logger: @logger))
    @logger.define_singleton_method(:info) { |text| super("#{text} #{client.token.size}") }
    client.token

    assert_match(/ 64$/, @log.string)
  end

  def test_a_child_of_a_fork_tells_its_own
    told = kinds_told(<<~RUBY)
      client.invalidate(client.token)
      client.token
      Process.wait(fork { client.logout; client.token })
      client.token
    RUBY

    assert_equal ["TPS: login", "TPS: rejected", "TPS: false_alarm", "TPS: logout", "TPS: login"], told
  end

  def test_a_child_that_has_as_many_events_as_its_parent
    assert_equal ["TPS: login", "TPS: logout"], kinds_told("Process.wait(fork { client.logout })")
  end

  # As Rails has them; both kinds of subscribers.
  def test_notifications
    script = <<~RUBY
      require "active_support"
      require "active_support/notifications"
      told = []
      ActiveSupport::Notifications.subscribe(/\\.tps\\z/) { |name, _, _, _, payload| told << [name, payload] }
      ActiveSupport::Notifications.subscribe("login.tps") { |event| told << event }
      client = TPS.login(**#{@organization.login})
      client.token
      begin
        TPS.login(**#{@organization.login(password: "wrong")})
      rescue TPS::Error
        nil
      end
      client.logout
      print told.map { |it| it.is_a?(Array) ? it.first : it.class.to_s }.sort.join(" "), "\n"
      puts JSON.generate(told.grep(Array).to_h)
    RUBY
    output, errors, = Open3.capture3(RbConfig.ruby, "-W0", "-I#{LIB}", "-rtps", "-e", script)

    assert_empty errors
    names, payloads = output.lines
    assert_equal "ActiveSupport::Notifications::Event hold_off.tps login.tps logout.tps\n", names
    payloads = JSON.parse(payloads)
    assert_equal([@organization.id] * 3, payloads.values.map { |it| it["organization_id"] })
    assert_equal ["login", "first", nil], payloads["login.tps"].values_at("kind", "reason", "status")
    assert_equal "credentials", payloads["hold_off.tps"]["status"]
    assert_secret [@organization.password], output
  end

  private

  # What a program logs, which begins with a login, and its children.
  def kinds_told(program)
    output, errors, = ruby(<<~RUBY)
      require "logger"
      $stdout.sync = true
      TPS.logger = Logger.new($stdout, formatter: ->(_, _, _, text) { "\#{text[/TPS: \\w+/]}\\n" })
      client = TPS.login(**#{@organization.login})
      #{program}
    RUBY
    assert_empty errors
    output.lines(chomp: true)
  end

  def kinds
    @log.string.scan(/TPS: (\w+) \(/).flatten
  end
end
