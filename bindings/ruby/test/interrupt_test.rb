# frozen_string_literal: true

require "test_helper"

# While a login takes two seconds. At once is half a second where the machine is slow.
class InterruptTest < TPSTest
  def setup
    super
    @organization = Organization.new(latency: 2)
    @client = TPS::Client.new(**@organization.login)
  end

  def test_other_threads_go_on
    ticks = 0
    ticker = Thread.new { loop { ticks += 1 and sleep 0.01 } }
    @client.token

    assert_operator ticks, :>, 50
  ensure
    ticker&.kill
  end

  def test_timeout_acts_at_once
    assert_operator seconds { assert_raises(Timeout::Error) { Timeout.timeout(0.5) { @client.token } } }, :<, 1.2
    assert_the_login_serves_the_next_call
  end

  def test_kill_acts_at_once
    thread = Thread.new { @client.token }
    wait_for_login(@organization)

    assert_operator seconds { thread.kill.join }, :<, 0.7
    assert_the_login_serves_the_next_call
  end

  def test_raise_acts_at_once
    thread = Thread.new { @client.token }
    thread.report_on_exception = false
    wait_for_login(@organization)

    thread.raise(IOError, "stop")
    assert_operator seconds { assert_raises(IOError) { thread.join } }, :<, 0.7
    assert_the_login_serves_the_next_call
  end

  def test_the_library_is_loaded_whole
    script = <<~RUBY
      halfway = TracePoint.new(:class) { |it| Thread.current.raise(IOError) if it.self.name == "TPS::Native::Failure" }
      begin
        halfway.enable { TPS::Client.new(**#{@organization.login}) }
      rescue IOError
        print TPS::Client.new(**#{@organization.login}).class
      end
    RUBY
    assert_equal ["TPS::Client", ""], ruby(script).first(2)
  end

  def test_ctrl_c_acts_at_once
    script = <<~RUBY
      client = TPS::Client.new(**#{@organization.login})
      begin
        client.token
      rescue Interrupt
        puts "interrupted"
        $stdout.flush
        puts client.token
      end
    RUBY
    Open3.popen2(RbConfig.ruby, "-w", "-I#{LIB}", "-rtps", "-e", script) do |_, output, child|
      wait_for_login(@organization)
      assert_operator seconds { Process.kill(:INT, child.pid) and assert_equal "interrupted\n", output.gets }, :<, 0.7
      assert_match(/\A\h{64}\n\z/, output.gets)
      assert_predicate child.value, :success?
    end
    assert_equal 1, @organization.logins
  end

  def test_the_process_ends_at_once
    script = <<~RUBY
      Thread.new { TPS.login(**#{@organization.login}) }
      gets
    RUBY
    Open3.popen2(RbConfig.ruby, "-w", "-I#{LIB}", "-rtps", "-e", script) do |input, _, child|
      wait_for_login(@organization)
      assert_operator seconds { input.close and child.join }, :<, 1.2
    end
  end

  # What may wait for the server, each for far longer than its caller does.
  WAITS = {
    "token" => ["slow4", ->(client, _) { client.token }],
    "logout" => ["logout-slow4", ->(client, _) { client.token and client.logout }],
    "request" => ["organizations-slow4", ->(client, uri) { client.request(Net::HTTP::Get.new(uri)) }],
    "request_that_logs_in" => ["slow4", ->(client, uri) { client.request(Net::HTTP::Get.new(uri)) }],
    "with_token" => ["slow4", ->(client, _) { client.with_token { flunk } }]
  }.freeze

  WAITS.each do |name, (scenario, call)|
    define_method(:"test_timeout_during_#{name}") do
      client, uri = waiting(scenario)
      assert_operator seconds {
                        assert_raises(Timeout::Error) do
                          Timeout.timeout(0.7) do
                            call.call(client, uri)
                          end
                        end
                      }, :<, 1.2
    end

    define_method(:"test_kill_during_#{name}") do
      client, uri = waiting(scenario)
      thread = Thread.new { call.call(client, uri) }
      sleep 0.7
      assert_predicate thread, :alive?
      assert_operator seconds { thread.kill.join }, :<, 0.5
    end
  end

  { "token" => "client.token", "logout" => "client.logout",
    "request" => "client.request(Net::HTTP::Get.new(URI(uri)))" }.each do |name, call|
    define_method(:"test_ctrl_c_during_#{name}") do
      client, uri = waiting(WAITS.fetch(name).first)
      client.token unless name == "token"
      Open3.popen2(RbConfig.ruby, "-w", "-I#{LIB}", "-rtps", "-rnet/http", "-e", <<~RUBY) do |_, output, child|
        client = TPS::Client.new(**#{@faults.login}, timeout: 10)
        uri = #{uri.to_s.inspect}
        client.token unless #{name == "token"}
        begin
          puts "begins"
          $stdout.flush
          #{call}
        rescue Interrupt
          puts "interrupted"
          $stdout.flush
          exit!
        end
      RUBY
        output.gets
        sleep 0.7
        assert_operator seconds { Process.kill(:INT, child.pid) and assert_equal "interrupted\n", output.gets }, :<, 0.5
      end
    end
  end

  # It goes on, and the next call waits for its end.
  def test_a_logout_that_was_interrupted_goes_on
    client, = waiting("logout-slow2")
    client.token
    assert_raises(Timeout::Error) { Timeout.timeout(0.5) { client.logout } }

    assert_nil client.logout
    assert_equal 1, @faults.sent("/api/auth/logout/").size
  end

  def test_a_logout_that_takes_too_long
    @faults = Faults.new("logout-hang")
    client = TPS.login(**@faults.login(timeout: 1))
    assert_operator seconds { assert_raises(TPS::Error) { client.logout } }, :<, 1.5
  end

  # The caller decides when it can be interrupted.
  def test_a_mask_of_the_caller_holds
    token = nil
    assert_raises(Timeout::Error) do
      Timeout.timeout(0.2) { Thread.handle_interrupt(Object => :never) { token = @client.token } }
    end
    assert_match(/\A\h{64}\z/, token)
  end

  def test_the_option_timeout_ms
    client = TPS::Client.new(**@organization.login(timeout_ms: 1000))
    # The login went out in time, so it is the lost answer that is told.
    assert_operator(seconds { assert_error(TPS::OutcomeUnknownError, :outcome_unknown) { client.token } }, :<, 1.5)
  end

  private

  def waiting(scenario)
    @faults = Faults.new(scenario)
    [TPS::Client.new(**@faults.login(timeout: 10)), @faults.uri]
  end

  def assert_the_login_serves_the_next_call
    assert_match(/\A\h{64}\z/, @client.token)
    assert_equal 1, @organization.logins
  end
end
