# frozen_string_literal: true

require "scheduler"
require "test_helper"

# Under a fiber scheduler: while one fiber waits for two seconds, another one goes on.
class FiberTest < TPSTest
  # Seconds between two ticks, of which the ticker sleeps 0.01: most of them. The machine may be busy now and then.
  # A login that holds up the loop makes one gap of two seconds, and waits inside the library make all of them longer.
  GAP = 0.06
  LONGEST = 1.0

  def setup
    super
    @organization = Organization.new(latency: 2)
    @client = TPS::Client.new(**@organization.login)
  end

  def test_a_login
    assert_goes_on { @client.token }
    assert_equal 1, @organization.logins
  end

  def test_a_logout
    faults = Faults.new("logout-slow2")
    client = TPS.login(**faults.login)
    assert_goes_on { client.logout }
    assert_equal 1, faults.sent("/api/auth/logout/").size
  end

  def test_a_login_for_a_request
    uri = URI("#{Organization::SERVER}/api/v1/organizations/")
    assert_equal("200", assert_goes_on { @client.request(Net::HTTP::Get.new(uri)).code })
  end

  def test_fibers_share_a_login
    tokens = []
    in_fibers(*Array.new(5) { -> { tokens << @client.token } })

    assert_equal [5, 1], [tokens.size, tokens.uniq.size]
    assert_equal 1, @organization.logins
  end

  def test_a_failure
    client = TPS::Client.new(**@organization.login(password: "wrong"))
    assert_goes_on { assert_error(TPS::CredentialsError, :credentials) { client.token } }
  end

  def test_the_time_limit
    client = TPS::Client.new(**@organization.login(timeout: 1))
    in_fibers(-> { assert_operator(seconds { assert_raises(TPS::OutcomeUnknownError) { client.token } }, :<, 1.5) })
  end

  # A scheduler that people use.
  def test_async
    script = <<~RUBY
      require "async"
      client = TPS::Client.new(**#{@organization.login})
      gaps = []
      Async do |task|
        last = Process.clock_gettime(Process::CLOCK_MONOTONIC)
        ticker = task.async do
          loop do
            sleep 0.01
            now = Process.clock_gettime(Process::CLOCK_MONOTONIC)
            gaps << now - last
            last = now
          end
        end
        print client.token.size
        ticker.stop
      end
      print " ", gaps.sort[gaps.size / 2], " ", gaps.max
    RUBY
    output, errors, = Open3.capture3(RbConfig.ruby, "-I#{LIB}", "-rtps", "-e", script)

    size, median, longest = output.split.map(&:to_f)
    assert_equal 64, size, errors
    assert_operator median, :<, GAP
    assert_operator longest, :<, LONGEST
  end

  private

  # @return what the block returns
  def assert_goes_on
    outcome = nil
    ticks = [now]
    elapsed = nil
    in_fibers(-> { elapsed = seconds { outcome = yield } }, -> { ticks << now while elapsed.nil? && sleep(0.01) })
    gaps = ticks.each_cons(2).map { |before, after| after - before }

    assert_operator elapsed, :>, 1.5
    assert_operator gaps.sort[gaps.size / 2], :<, GAP
    assert_operator gaps.max, :<, LONGEST
    outcome
  end

  def in_fibers(*blocks)
    Thread.new do
      Fiber.set_scheduler(Scheduler.new)
      blocks.each { |block| Fiber.schedule(&block) }
    end.join
  end
end
